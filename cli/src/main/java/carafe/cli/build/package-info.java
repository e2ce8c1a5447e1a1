/// What `build` needs beside its flags: the context as a stream or a listing, and what people see while it goes on.
/// Entry: [ContextDirectory], [BuildProgress].
/// Never knows: flags, the engine's address, HTTP.
/// Threads: the command's own.
/// Spec: POSIX pax tars; what buildx shows.
@NullMarked
package carafe.cli.build;

import org.jspecify.annotations.NullMarked;
