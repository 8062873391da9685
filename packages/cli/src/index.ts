export { EXIT } from './exit-code.ts';
export type { ExitCode } from './exit-code.ts';
export { main } from './main.ts';
export type { Envelope } from './output/envelope.ts';
