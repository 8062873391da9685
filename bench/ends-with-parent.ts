// Imported first by programs that a measurement starts: whoever started them may be killed, and then
// nobody is left to measure for. The channel to the parent closes with it, however it ends.
process.once('disconnect', () => process.exit(1));
// It must not keep a program alive that is done.
process.channel?.unref();
