/// The daemon's main: reads the configuration, wires the rooms by hand, serves until a signal.
/// Entry: [Main]; its parts list is [Daemon].
/// Never knows: what a container is; no branch here depends on one.
/// Threads: the main thread wires and waits; a shutdown hook closes in reverse order.
/// Spec: dockerd(8)'s flags and daemon.json keys, DESIGN's places on a host.
@NullMarked
package carafe.daemon;

import org.jspecify.annotations.NullMarked;
