/// Pull-through: repositories that also show what another registry has, kept here once it was pulled.
///
/// Entry type: [PullThrough]. The other registry is behind the port [Upstream], which the daemon wires.
/// It must never know HTTP or whose credentials are used; what was pushed here is never replaced by an upstream's.
/// Requests block while something is fetched; each blob is fetched once, on a virtual thread of its own.
/// Spec: OCI distribution-spec 1.1, "Registry Proxying".
@NullMarked
package carafe.hub.upstream;

import org.jspecify.annotations.NullMarked;
