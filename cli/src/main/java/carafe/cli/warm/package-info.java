/// A command whose process is elsewhere: what it asks for, and its streams, terminal and signals, as the C program
/// `carafe` has them (native/carafe.h has the words).
/// Entry types: [CommandRequest], [FarProcess].
/// Never knows: which command runs, flags, files.
/// A FarProcess is used by the command's threads and by one that listens.
/// Spec: DESIGN §8, docs/adr/0047-warm-commands.md.
@NullMarked
package carafe.cli.warm;

import org.jspecify.annotations.NullMarked;
