/// Measures registries side by side through their ports: ours and Debian's docker-registry, alternating in one run.
///
/// Entry type: [Main], started by `bench/hub`.
/// It must never import a room; its client is a few lines over sockets, so that it costs both peers the same.
/// One platform thread for each client.
/// Spec: OCI distribution-spec 1.1, as much of it as the rows need.
@NullMarked
package carafe.bench.hub;

import org.jspecify.annotations.NullMarked;
