export default {
  fetch: () => new Response("orders"),
};
