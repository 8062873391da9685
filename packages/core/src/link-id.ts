/**
 * One connection, named by whoever made it: the machine counts its dials up from 1, the shell
 * counts what it accepted down from -1. Never reused within one process. Links to peers and links
 * to clients are counted apart.
 */
export type LinkId = number;
