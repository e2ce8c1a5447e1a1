/// The door that speaks the OCI distribution protocol, and Docker's token protocol beside it.
///
/// Entry type: [Distribution], a handler for what is below `/v2/` and `/token`.
/// It translates and decides nothing: rights are the gate's, the state of repositories is theirs.
/// Each request runs on its connection's virtual thread and may block.
/// Spec: OCI distribution-spec 1.1; Docker registry v2 token authentication; RFC 9110 §14 (ranges).
@NullMarked
package carafe.hub.distribution;

import org.jspecify.annotations.NullMarked;
