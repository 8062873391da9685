import {
  ELECTION_LAN,
  ELECTION_LOCAL,
  ELECTION_WAN,
  MEMBERSHIP_LAN,
  MEMBERSHIP_LOCAL,
  MEMBERSHIP_WAN,
} from '@memgrid/core';
import type { ElectionConfig, MembershipConfig } from '@memgrid/core';
import type { ProfileName } from '../config/node-config.ts';

/** The waiting times of the protocols for one kind of network. */
export interface Profile {
  readonly membership: MembershipConfig;
  readonly election: ElectionConfig;
}

/** What the option `profile` chooses from. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  local: { membership: MEMBERSHIP_LOCAL, election: ELECTION_LOCAL },
  lan: { membership: MEMBERSHIP_LAN, election: ELECTION_LAN },
  wan: { membership: MEMBERSHIP_WAN, election: ELECTION_WAN },
};
