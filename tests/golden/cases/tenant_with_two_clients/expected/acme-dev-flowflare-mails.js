// mails.ts
var mails_default = { scheduled: (_event, env) => console.log(env.SENDER) };
export {
  mails_default as default
};
