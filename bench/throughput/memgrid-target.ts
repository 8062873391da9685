import { connect, type Grid } from '@memgrid/client';
import { MemgridSubject, type Dataset, type Subject } from 'memgrid/bench';
import { packageVersion } from '../peers/package-version.ts';

export interface MemgridTarget {
  /** `memgrid, three nodes`. */
  readonly title: string;
  readonly addresses: readonly string[];
  readonly sync: 'memory' | 'disk';
}

/** memgrid as its users have it: reads at `one`, writes that wait for a majority. */
export async function memgridSubject(target: MemgridTarget, dataset: Dataset): Promise<Subject> {
  return await MemgridSubject.open({
    name: target.title,
    version: packageVersion('@memgrid/client'),
    dataset,
    namespace: 'bench',
    read: 'one',
    sync: target.sync,
    open: ({ nearBytesMax }) => open(target.addresses, nearBytesMax),
  });
}

function open(nodes: readonly string[], nearBytesMax: number | undefined): Promise<Grid> {
  return connect({
    nodes,
    name: 'memgrid-bench',
    ...(nearBytesMax === undefined ? {} : { nearCache: { bytesMax: nearBytesMax } }),
  });
}
