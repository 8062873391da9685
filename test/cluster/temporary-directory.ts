import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A directory that is gone when the test is over. */
export class TemporaryDirectory implements Disposable {
  readonly path = mkdtempSync(path.join(tmpdir(), 'memgrid-test-'));

  file(...names: readonly string[]): string {
    return path.join(this.path, ...names);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 5 });
  }
}
