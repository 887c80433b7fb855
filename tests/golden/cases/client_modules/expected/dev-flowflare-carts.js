// class migrations up to "v1"
var __defProp = Object.defineProperty;
var __name = (target, value) => __defProp(target, "name", { value, configurable: true });

// carts.js
import add from "./f2f415504deccd0e0a3a17df30fb123b0f773ce2-add.wasm";

// page.html
var page_default = "<h1>Carts</h1>\n";

// carts.js
import certificate from "./f944dcd635f9801f7ac90a407fbc479964dec024-certificate.der.bin";
import key from "./3f29546453678b855931c174a97d6c0894b8f546-key.bin";

// prices/terms.md
var terms_default = "# Terms\n";

// carts.js
var Cart = class {
  static {
    __name(this, "Cart");
  }
  sum(one, other) {
    return new WebAssembly.Instance(add).exports.add(one, other);
  }
};
var carts_default = { fetch: /* @__PURE__ */ __name(() => new Response(`${page_default} ${terms_default} ${key.byteLength} ${certificate.byteLength}`), "fetch") };
export {
  Cart,
  carts_default as default
};
//# sourceMappingURL=worker.js.map
