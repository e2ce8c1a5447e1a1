/// The name server of containers: who is who in a network, and the host's resolvers for the rest.
/// Entry: [NameService]; it hears of endpoints as an [carafe.network.EndpointListener].
/// Never knows: containers (only ids and the names of endpoints), files in a container, Docker's messages.
/// Threads: queries are read by one platform thread, and answered there when a name is ours; what is asked of others runs
/// on virtual threads, a bounded number for each container. Spec: RFC 1034, 1035, 3596, 6891; Docker's embedded server.
@NullMarked
package carafe.network.dns;

import org.jspecify.annotations.NullMarked;
