/// The nouns of builds: what is asked for, what happens, what comes out. The build room works on them, the engine
/// passes them on, doors translate them.
/// Entry: [BuildRequest], [BuildEvent].
/// Never knows: Dockerfiles, layers, protocols. No I/O.
/// Threads: any; all is immutable.
/// Spec: close to BuildKit's vocabulary (vertex, status, log) so that its protocol can be spoken later.
@NullMarked
package carafe.spec.build;

import org.jspecify.annotations.NullMarked;
