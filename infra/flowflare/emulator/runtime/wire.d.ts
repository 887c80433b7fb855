// The types of wire.schema.json, which describes them. Written by `make types-js`.
export type Requests = {
  start: { known: Data; };
  account: { change: Change; code: Record<string, Array<Module>>; };
  d1: { database: string; queries: Array<Query>; };
  d1_file: { database: string; };
  objects: { namespace: string; };
  bucket: { bucket: string; };
  probe: Upload;
  settle: { account: string | null; };
  scheduled: { account: string; key: string; cron: string; time: number; };
  forget: Data;
  limit: Limits;
  workers: Nothing;
};
export type Answers = {
  start: { workerd: string; };
  account: { taken: Array<number>; };
  d1: D1Answer;
  d1_file: { path: string; };
  objects: { ids: Strings; };
  bucket: { holds_objects: boolean; };
  probe: ProbeAnswer;
  settle: { problems: Array<Problem>; };
  scheduled: { outcome: string; };
  forget: Nothing;
  limit: Nothing;
  workers: { accounts: Strings; loaded: Array<LoadedUnit>; };
};
export type Event =
  | { event: 'up'; pid: number; }
  | { event: 'failed'; reason: 'missing'; message: string; }
  | { event: 'note'; message: string; }
  | { event: 'crashed'; }
  | { event: 'loaded' | 'reloaded'; workers: number; milliseconds: number; }
  | { event: 'resumed'; instances: number; };
export type Nothing = Record<string, never>;
export type Strings = Array<string>;
export type Json = string | number | boolean | null | Array<Json> | Record<string, Json>;
export type Data = { databases: Strings; namespaces: Strings; workflows: Strings; targets: Strings; };
export type Change = { account: string; changed: Array<Worker | DownWorker>; removed: Strings; };
export type Worker = {
  key: string;
  script: string;
  port: number;
  enabled: boolean;
  service_worker: boolean;
  code: string;
  compatibility_date: string;
  compatibility_flags: Strings;
  has_default: boolean;
  vars: Record<string, Json>;
  d1: Record<string, string>;
  objects: Record<string, BoundObject>;
  unbound_objects: Array<ObjectClass>;
  services: Record<string, BoundService>;
  workflows: Record<string, BoundWorkflow>;
  workflow_names: Record<string, Record<string, string>>;
  targets: Record<string, BoundTarget>;
  assets: null | Assets;
  consumes: Record<string, Consumer>;
  datasets: Record<string, string>;
  rate_limits: Record<string, RateLimit>;
  version_metadata: Strings;
  answers: Array<Pattern>;
};
export type DownWorker = { key: string; script: string; port: number; enabled: boolean; code: ''; answers: Array<Pattern>; down: string; };
export type Pattern = { host: string; path: string; };
export type ObjectClass = { class_name: string; namespace: string; use_sqlite: boolean; };
export type BoundObject = { class_name: string; namespace: string; use_sqlite: boolean; worker: string | null; };
export type BoundService = { worker: string; entrypoint: string | null; };
export type BoundWorkflow = { id: string; class_name: string; worker: string; };
export type BoundTarget = { kind: 'kv' | 'r2' | 'queue'; key: string; };
export type Assets = {
  directory: string;
  binding: string | null;
  html_handling: string;
  not_found_handling: string;
  run_worker_first: boolean | Strings;
};
export type Consumer = {
  id: string;
  name: string;
  dead_letter_queue: string;
  dead_letter: string | null;
  batch_size: number;
  max_concurrency: number | null;
  max_retries: number;
  max_wait_time_ms: number;
  retry_delay: number;
};
export type RateLimit = { namespace_id: string; simple: { limit: number; period: 10 | 60; }; };
export type Module =
  | { name: string; type: 'ESModule' | 'CommonJS' | 'Text' | 'JSON'; text: string; }
  | { name: string; type: 'SourceMap'; text: string; }
  | { name: string; type: 'CompiledWasm' | 'Data'; base64: string; };
export type Upload = { modules: Array<Module>; service_worker: boolean; compatibility_date: string; compatibility_flags: Strings; };
export type Export = { name: string; kind: string; base: string | null; handlers: Strings; };
export type ProbeAnswer = { exports: Array<Export>; } | { problem: string; };
export type Query = { sql: string; params: Array<string | number | null>; };
export type D1Result = { results: { columns: Strings; rows: Array<Array<Json>>; }; meta: Record<string, Json>; success: true; };
export type D1Answer = { rows: Array<D1Result>; } | { dump: Strings; } | { error: string; };
export type Problem = { account: string; problem: string; };
export type Limits = { units: number; idle: number; };
export type LoadedUnit = { account: string; workers: Array<string>; running: boolean; current: boolean; problem: string | null; };
