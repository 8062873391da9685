export type { LogLevel, NodeConfig, NodeOptions, OptionName, ProfileName } from './node-config.ts';
export { OPTIONS, OPTION_NAMES, environmentName, flagName } from './option-table.ts';
export type { Option } from './option-table.ts';
export type { OptionType } from './option-type.ts';
export { helpText, optionHelp, showValue } from './option-help.ts';
export type { OptionHelp } from './option-help.ts';
export { badConfiguration, resolveConfig } from './resolve-config.ts';
export type { ConfigSources, Origin, ResolvedConfig } from './resolve-config.ts';
export { CONFIG_FILE_NAME, readConfigFile } from './config-file.ts';
