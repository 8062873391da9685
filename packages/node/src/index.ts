export { startNode } from './node.ts';
export type { Surroundings } from './node.ts';
export type { Company, NodeExit, RunningNode } from './running-node.ts';
export { limitHeapGrowth } from './heap-growth.ts';
export { forceRecover } from './force-recover.ts';
export type { ForceRecoveryReport } from './force-recover.ts';
export { VERSION } from './version.ts';

export {
  CONFIG_FILE_NAME,
  OPTIONS,
  OPTION_NAMES,
  environmentName,
  flagName,
  helpText,
  optionHelp,
  readConfigFile,
  resolveConfig,
  showValue,
} from './config/index.ts';
export type {
  ConfigSources,
  LogLevel,
  NodeConfig,
  NodeOptions,
  Option,
  OptionHelp,
  OptionName,
  OptionType,
  Origin,
  ProfileName,
  ResolvedConfig,
} from './config/index.ts';

export { EVENT_LEVELS } from './observe/event-levels.ts';
export type { EventName, ObservedEvent } from './observe/event-levels.ts';
export type { ShellEvent } from './observe/shell-event.ts';
export type { LineSink } from './observe/line-sink.ts';

export { ADMIN_PATHS } from './http/admin-surface.ts';
export type { OrphanBody, OrphansBody } from './http/orphans-body.ts';
export type {
  LocalShardBody,
  NodeShardsBody,
  ShardBody,
  ShardsBody,
  ShardsSummaryBody,
} from './http/shards-body.ts';
export type { MemberBody, MembersCount, RaftBody, StatusBody } from './http/status-body.ts';
