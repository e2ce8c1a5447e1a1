package carafe.network;

import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/// All networks of one engine and the containers in them. The fabric remembers networks that it made or was
/// handed by [#restore]; their rows are the caller's, and nothing durable is its own.
///
/// A container is in the fabric by its id, between [#open] and [#close]. Methods for different containers may run at the
/// same time; those for one container are called one after another.
public interface Fabric extends AutoCloseable {

    /// Decides a network (its id, its link's name, ranges that nobody uses) and makes it. A crash before the caller has
    /// written it down leaves a bridge, or addresses on one of the host's, that the next [#restore] removes.
    /// @throws EngineException.Invalid the request contradicts itself
    /// @throws EngineException.Forbidden its ranges are in use, by another network or by the host itself
    /// @throws EngineException.Unavailable no range is free any more; of the networks that nobody is in the message names
    ///     those that are `prunable`, since no container that is stopped belongs to them
    Network create(NetworkRequest request, Predicate<Network> prunable) throws EngineException;

    /// The same where no container is stopped.
    default Network create(NetworkRequest request) throws EngineException {
        return create(request, _ -> true);
    }

    /// What whoever asked for the network should know of its ranges: which routes of the host it overlaps, in sentences.
    default List<String> overlaps(Network network) throws EngineException {
        return List.of();
    }

    /// Makes the default bridge as the configuration wants it, keeping what `known` has and nothing contradicts; empty
    /// when there is none by configuration. What the host and the networks `others` have, which [#restore] will be told of,
    /// contradicts only while none of the containers `running` (ids) is in `known`. On a bridge of the host's it has that
    /// one's range.
    /// @throws EngineException.Conflict the host's bridge and another network have the same range: there is no default
    ///     bridge, and `known` is not for [#restore]
    Optional<Network> createDefault(Optional<Network> known, List<Network> others, Set<String> running)
            throws EngineException;

    /// The same where nobody runs, and no other network is.
    default Optional<Network> createDefault(Optional<Network> known) throws EngineException {
        return createDefault(known, List.of(), Set.of());
    }

    /// Takes the network away: rules, reservation, bridge. That is down, and its name and range are free, when this returns;
    /// it goes in the background. Idempotent.
    /// @throws EngineException.Forbidden somebody is in it, or on the way into it; all of it stays
    void remove(Network network) throws EngineException;

    /// A namespace for the container, with an endpoint in each network, ready for its first process. `namespace` is the
    /// path of one that is empty yet, for a container whose network has to belong to its own users; without it one is
    /// made, or was made before. What fails leaves
    /// nothing. Waits for nothing but the kernel.
    /// @throws EngineException.Forbidden an address is in use
    /// @throws EngineException.NotFound one of the networks was removed meanwhile
    Sandbox open(String containerId, List<Joining> networks, Optional<String> namespace) throws EngineException;

    /// Begins to do what [#open] does: addresses, names of interfaces and the namespace are known when this returns, and
    /// [Opening#complete] does the rest, on any thread, while the caller prepares what needs no more than that. What fails
    /// leaves nothing.
    default Opening begin(String containerId, List<Joining> networks, Optional<String> namespace) throws EngineException {
        var sandbox = open(containerId, networks, namespace);
        return new Opening() {
            @Override
            public Sandbox sandbox() {
                return sandbox;
            }

            @Override
            public void complete() {}
        };
    }

    /// A container on its way into its networks. It is in the fabric once it is complete.
    interface Opening {

        /// As it will be.
        Sandbox sandbox();

        /// Makes links, addresses, routes, names and ports. To be called once, whatever becomes of the caller's own work,
        /// and no other method for the container meanwhile. What fails leaves nothing.
        void complete() throws EngineException;

        /// The container's start no longer waits for its own work: what the fabric makes ahead for others, a millisecond of
        /// work that would take the processor from it, may be made. A second call does nothing more.
        default void settle() {}
    }

    /// The same in a namespace of the fabric's own.
    default Sandbox open(String containerId, List<Joining> networks) throws EngineException {
        return open(containerId, networks, Optional.empty());
    }

    /// A namespace in which nobody was and that is in no network, its loopback up, if one is ready: for a container that
    /// is to be alone. The fabric knows nothing of it any more.
    Optional<Spare> spare();

    /// Owned by the caller: it goes when it is closed and no process is in it.
    interface Spare extends AutoCloseable {

        /// How this process opens the namespace, valid until it is closed.
        String path();

        @Override
        void close();
    }

    /// The container's sandbox now.
    Optional<Sandbox> sandbox(String containerId);

    /// @throws EngineException.Unavailable the container runs, and its networks could not be taken over when the engine
    ///     started: they stay as they are while it runs
    default void refuseUnheld(String containerId) throws EngineException.Unavailable {}

    /// Connects a running container to one more network.
    /// @throws EngineException.NotFound the network was removed meanwhile
    Endpoint connect(String containerId, Joining joining) throws EngineException;

    /// Takes a running container out of a network. Idempotent.
    void disconnect(String containerId, String networkId) throws EngineException;

    /// What others may call a container from now on: `names` by the id of each network that it is in. One that is not open
    /// and networks it is not in are passed over; what fails changes nothing.
    void rename(String containerId, Map<String, List<String>> names) throws EngineException;

    /// The container ended: addresses are free at once, links and namespace go in the background. Idempotent.
    void close(String containerId);

    /// At the engine's start: these are the networks, and these containers run (by id, the pid of each one's first
    /// process). Links, files and bridges that belong to none of them go; missing bridges are made again.
    void restore(List<Network> networks, Map<String, Integer> running) throws EngineException;

    /// Opens the fabric of this host. The caller closes it.
    static Fabric open(FabricConfig config, Parts parts) throws EngineException {
        return LinuxFabric.open(config, parts);
    }

    /// What a fabric stands on; it does not close them.
    record Parts(Firewall firewall, Failpoints failpoints, Clock clock) {}

    /// How an open container came to its networks, in order; empty when it was taken over from an earlier engine.
    default List<NetworkStep> steps(String containerId) {
        return List.of();
    }

    /// Tells `listener` of all endpoints from now on; to be called before [#restore].
    void listen(EndpointListener listener);

    /// What passed each interface of the container since it was made, by name.
    Map<String, Traffic> traffic(String containerId) throws EngineException;

    /// Before a clean stop: the bridges and rules of networks that nobody is in go, as nobody would look after them. The
    /// next [#restore] makes them again.
    void rest() throws EngineException;

    /// How many of the network's addresses of each subnet are given out.
    List<Usage> usage(Network network);

    /// Addresses of one subnet; `available` is capped at the largest number that a JSON reader keeps exactly.
    record Usage(Subnet subnet, long inUse, long available) {}

    /// Looks whether the bridges of all networks are there as they should be, and with `repair` makes again what is not,
    /// with everybody in it. One that cannot be looked at or made is among the answers.
    List<Fault> check(boolean repair);

    /// What is, or if it is `repaired` was, wrong with the link of a network: the end of a sentence.
    record Fault(String link, String network, String text, boolean repaired) {}

    /// Lets go of descriptors, after what is under way in the background. Containers keep their networks.
    @Override
    void close();
}
