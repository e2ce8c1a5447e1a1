package carafe.engine;

import carafe.image.Image;
import carafe.image.Images;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.ContainerConfig;
import carafe.spec.docker.HostConfig;
import carafe.spec.docker.UserMode;
import carafe.spec.oci.Platform;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// Decides what a create request makes: finds the image, completes the configuration, refuses what cannot be, in
/// Docker's words. Makes nothing.
final class ContainerPlanner {
    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]+");

    private final Images images;
    private final MountResolver mounts;
    private final HostFacts facts;
    private final Others others;
    private final UserChoice users;
    private final Clock clock;

    ContainerPlanner(Images images, MountResolver mounts, HostFacts facts, Others others, UserChoice users,
            Clock clock) { // the six are its whole world
        this.images = images;
        this.mounts = mounts;
        this.facts = facts;
        this.others = others;
        this.users = users;
        this.clock = clock;
    }

    /// What a container can have to do with others, and what it writes to.
    record Others(Memberships memberships, Sharings sharings, WritableLayers layers) {}

    /// A container to be, the image below it, and what the client should be told.
    record Plan(ContainerSnapshot container, Image image, List<String> warnings) {
        Plan {
            warnings = List.copyOf(warnings);
        }
    }

    /// Plans the container `id` called `name`.
    Plan plan(CreateRequest request, String id, String name) throws EngineException {
        var warnings = new ArrayList<String>();
        Image image = image(request, warnings);
        try {
            return new Plan(snapshot(request, image, id, name, warnings), image, warnings);
        } catch (EngineException.NotFound e) {
            throw notTheImage(e);
        }
    }

    /// The same where anything but the container's image is missing, and the request is to blame: clients pull the image,
    /// and ask again, when they hear that something was not found.
    static EngineException.Invalid notTheImage(EngineException.NotFound e) {
        return new EngineException.Invalid(String.valueOf(e.getMessage()));
    }

    private ContainerSnapshot snapshot(CreateRequest request, Image image, String id, String name, List<String> warnings)
            throws EngineException {
        HostConfig host = host(request, id, warnings);
        ContainerConfig config = kept(names(ConfigMerge.merge(request.config(), image.config().run()), host, id), host);
        host = host.withMounts(mounts.resolve(host, config));
        if (facts.seLinux()) {
            MountResolver.relabelled(host.files().mounts()).ifPresent(warnings::add);
        }
        return new ContainerSnapshot(
                id,
                name,
                clock.instant(),
                new ContainerSnapshot.Image(
                        request.config().image(), image.id().toString(), image.config().platform().os()),
                ConfigMerge.words(config),
                config,
                host,
                others.memberships.joined(host.namespaces().network(), request.host().namespaces().network(),
                        request.networking(), request.config()),
                new State.Created(Optional.empty()),
                ContainerSnapshot.Restarts.NONE);
    }

    /// What was planned for the container `id` is in its row, or was given up.
    void settled(String id) {
        users.settled(id);
    }

    /// Refuses a name that Docker refuses; answers it without slash.
    static String checkName(String name) throws EngineException.Invalid {
        String plain = name.startsWith("/") ? name.substring(1) : name;
        if (!NAME.matcher(plain).matches()) {
            throw new EngineException.Invalid("Invalid container name (" + plain
                    + "), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
        }
        return plain;
    }

    private Image image(CreateRequest request, List<String> warnings) throws EngineException {
        String reference = request.config().image();
        if (reference.isEmpty()) {
            throw new EngineException.Invalid("no image specified");
        }
        if (!request.platform().isEmpty()) {
            return images.find(reference, Platform.parse(request.platform()));
        }
        Image image = images.find(reference);
        Platform has = image.config().platform();
        if (!has.runsOn(Platform.host())) {
            warnings.add("The requested image's platform (" + has + ") does not match the detected host platform ("
                    + Platform.host() + ") and no specific platform was requested");
        }
        return image;
    }

    private HostConfig host(CreateRequest request, String id, List<String> warnings) throws EngineException {
        HostConfig host = request.host();
        checkCpu(host);
        String mode = others.memberships.mode(host.namespaces().network());
        NetworkModes.check(mode, request.config(), host);
        Json links = others.memberships.links().byId(host);
        if (!List.of("", "carafe", "runc", "io.containerd.runc.v2").contains(host.runtime())) {
            throw new EngineException.Invalid("unknown or invalid runtime name: " + host.runtime());
        }
        others.layers.check(host);
        boolean published = !PortPlan.requests(host, request.config(), Optional.empty()).isEmpty();
        if (published && mode.equals("host")) {
            warnings.add("Published ports are discarded when using host network mode");
        } else if (published) {
            warnings.addAll(firewall());
        }
        var modes = host.namespaces();
        var complete = host.meaning(Map.of(
                "NetworkMode", Json.of(mode),
                "Links", links,
                "CgroupnsMode", Json.of(modes.cgroup().isEmpty() ? "private" : modes.cgroup()),
                "IpcMode", Json.of(modes.ipc().isEmpty() ? "private" : others.sharings.named(modes.ipc())),
                "PidMode", Json.of(others.sharings.named(modes.pid()))));
        return complete.with(users.choose(complete, id));
    }

    /// What the host's firewall forbids those who publish ports. That it cannot be read is no reason not to make one.
    private List<String> firewall() {
        try {
            return others.memberships.warnings();
        } catch (EngineException e) {
            return List.of("Whether the host's firewall lets others reach published ports is not known: " + e.getMessage());
        }
    }

    /// Who keeps an id runs as that user, unless something else is said.
    private static ContainerConfig kept(ContainerConfig config, HostConfig host) throws EngineException.Invalid {
        return config.command().user().isEmpty()
                        && UserMode.parse(host.namespaces().user()) instanceof UserMode.KeepId(long uid, long gid, long _)
                ? ContainerConfig.parse(config.document().with("User", Json.of(uid + ":" + gid)))
                : config;
    }

    private void checkCpu(HostConfig host) throws EngineException.Invalid {
        long nano = host.resources().cpu().nanoCpus();
        int processors = facts.machine().processors();
        if (nano < 0 || nano > processors * 1_000_000_000L) {
            throw new EngineException.Invalid("range of CPUs is from 0.01 to " + processors
                    + ".00, as there are only " + processors + " CPUs available");
        }
    }

    /// Fills in the host name: that of who has the network, the client's, the host's where that is shared, else the short id.
    private ContainerConfig names(ContainerConfig config, HostConfig host, String id) throws EngineException.Invalid {
        var modes = host.namespaces();
        if (modes.uts().equals("host") && !config.names().host().isEmpty()) {
            throw new EngineException.Invalid("conflicting options: hostname and the UTS mode");
        }
        var owner = others.memberships.owner(modes.network());
        if (owner.isPresent()) {
            return config.called(owner.get().config().names());
        }
        if (!config.names().host().isEmpty()) {
            return config;
        }
        boolean hosts = modes.network().equals("host") || modes.uts().equals("host");
        String own = hosts ? facts.machine().hostName() : id.substring(0, 12);
        return config.called(new ContainerConfig.Names(own, config.names().domain()));
    }
}
