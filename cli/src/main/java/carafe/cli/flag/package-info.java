/// Flags as Docker's users type them: what a command accepts, reading it from words, showing it in help.
/// Entry type: [Flags]; one is built for the command that is run and for no other.
/// Never knows: which commands exist, the engine, files, the terminal beyond a width in columns.
/// Runs on the thread of the command; a Flags is not shared between threads.
/// Spec: the conventions of GNU getopt_long as Go's pflag narrows them; the texts of `docker` 28.
@NullMarked
package carafe.cli.flag;

import org.jspecify.annotations.NullMarked;
