// worker.js
var worker_default = {
  async queue(batch) {
    batch.ackAll();
  }
};
export {
  worker_default as default
};
