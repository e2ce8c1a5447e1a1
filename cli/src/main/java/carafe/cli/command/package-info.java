/// The commands: what each accepts, asks the engine for, prints and ends with.
/// Entry type: [Carafe], which finds the command in a Session's words and runs it.
/// Never knows: System.in, System.out, exit, how an engine is started, HTTP.
/// A command runs on the caller's thread and ends the threads it starts before it returns, but for one that waits for
/// keys nobody types.
/// Spec: the command tree, texts and exit codes of `docker` 28.2; DESIGN §8.
@NullMarked
package carafe.cli.command;

import org.jspecify.annotations.NullMarked;
