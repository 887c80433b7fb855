import add from './add.wasm';
import page from './page.html';
import key from './prices/key.bin';

export class Cart {
  sum(one, other) {
    return new WebAssembly.Instance(add).exports.add(one, other);
  }
}

export default { fetch: () => new Response(`${page} ${key.byteLength}`) };
