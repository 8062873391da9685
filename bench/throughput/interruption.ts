let interrupted = false;

/** Whether somebody asked this process to stop; nothing more is to be begun then. */
export function isInterrupted(): boolean {
  return interrupted;
}

/**
 * Runs `use` with a signal that an interrupt (or a request to terminate) aborts, so that what was
 * measured until then can be told and every server be stopped. A second interrupt ends the process at
 * once, and with it its servers.
 */
export async function interruptible<Result>(
  use: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (interrupted) process.exit(130);
    interrupted = true;
    process.stderr.write('  interrupted: stopping what was started (once more to stop at once)\n');
    controller.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    return await use(controller.signal);
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}
