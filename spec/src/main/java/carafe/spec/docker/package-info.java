/// Docker's API messages: what clients send to make and change containers, and what they read as events and filters.
/// Entry: [ContainerConfig], [HostConfig], [NetworkingConfig], [ExecConfig], [Event], [Filters], [Signals].
/// Never knows: HTTP, API versions, files, the state of anything; only Docker's field names, defaults and refusals.
/// Threads: any; everything is immutable.
/// Spec: Docker Engine API 1.50 (swagger) and the texts its daemon answers with.
@NullMarked
package carafe.spec.docker;

import org.jspecify.annotations.NullMarked;
