/// What a command sees of the world: its words, environment, directory, streams, terminal, files, signals, clock.
/// Entry type: [Session]; the process's own one is made in `carafe.cli`, a warm engine makes one per caller.
/// Never knows: which command runs, the engine, flags, System.in, System.out, exit.
/// A Session belongs to one command; its streams may be used from the threads that command starts.
/// Spec: DESIGN §8; termios(3) and ioctl_tty(2) for what a terminal does.
@NullMarked
package carafe.cli.session;

import org.jspecify.annotations.NullMarked;
