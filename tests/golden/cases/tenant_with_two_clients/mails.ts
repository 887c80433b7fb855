interface Env {
  SENDER: string;
}

export default { scheduled: (_event: unknown, env: Env): void => console.log(env.SENDER) };
