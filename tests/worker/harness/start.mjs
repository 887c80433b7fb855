// Starts Workers in one workerd, each on its own port; their logs go to standard error.
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';

export async function start(workers) {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: '127.0.0.1',
      port: 0,
      handleRuntimeStdio(stdout, stderr) {
        stdout.pipe(process.stderr);
        stderr.pipe(process.stderr);
      },
      workers,
    }),
  );
  await miniflare.ready;
  return miniflare;
}
