/// A door: a registry server with users, quotas, pull-through and a web page. Runs alone or inside the daemon.
///
/// Entry types: [Hub] with a [HubConfig]; [Main] runs it alone.
/// It must never know containers, or how an upstream is spoken to (a port, see `upstream`).
/// Requests run on their connections' virtual threads; one thread collects garbage now and then.
/// Spec: OCI distribution-spec 1.1, Docker's registry API v2 with token authentication.
@NullMarked
package carafe.hub;

import org.jspecify.annotations.NullMarked;
