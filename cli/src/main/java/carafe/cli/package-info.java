/// The process `carafe`: its real streams, terminal, files and signals, and the start of an engine where none runs.
/// Entry type: [Main].
/// Never knows: which command does what; that is `carafe.cli.command`, code against a Session.
/// Runs on the main thread; shutdown hooks and signal handlers on threads of the JVM.
/// Spec: DESIGN §8 and §9.
@NullMarked
package carafe.cli;

import org.jspecify.annotations.NullMarked;
