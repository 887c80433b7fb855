var __defProp = Object.defineProperty;
var __name = (target, value) => __defProp(target, "name", { value, configurable: true });

// mails.ts
var mails_default = { scheduled: /* @__PURE__ */ __name((_event, env) => console.log(env.SENDER), "scheduled") };
export {
  mails_default as default
};
