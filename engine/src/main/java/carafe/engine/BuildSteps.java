package carafe.engine;

import carafe.build.step.StepRunner;
import carafe.build.step.WrongFormat;
import carafe.runtime.Bundle;
import carafe.runtime.ContainerRuntime;
import carafe.runtime.LogOptions;
import carafe.runtime.OwnFile;
import carafe.runtime.RunningContainer;
import carafe.runtime.StartFailure;
import carafe.runtime.StdStream;
import carafe.runtime.Stdio;
import carafe.runtime.UserRequest;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.build.BuildLimits;
import carafe.spec.docker.ContainerConfig;
import carafe.spec.docker.HostConfig;
import carafe.spec.docker.NetworkingConfig;
import carafe.spec.docker.Signals;
import carafe.spec.oci.IdMaps;
import carafe.spec.oci.RuntimeSpec;
import carafe.spec.oci.RuntimeSpec.Mount;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Runs the programs of builds, each in a container that has no row: nobody lists, stops or inspects it, so writing it
/// down would only cost. What a crash of the daemon leaves of one (run directory, control group, snapshot) belongs to no
/// row either, and that is how the reconciler finds and kills it.
final class BuildSteps implements StepRunner {
    private static final Logger LOG = LoggerFactory.getLogger(BuildSteps.class);
    private static final int BUFFER = 64 * 1024;
    private static final int FRAME = 8;

    private final ContainerRuntime runtime;
    private final SpecComposer composer;
    private final Memberships networks;
    private final IdMaps remap;
    private final EtcFiles etc;
    private final Layout layout;

    /// Where and how the files are that a step gets from the engine.
    record OwnFiles(EtcFiles etc, Layout layout) {}

    /// `remap` are the ids of steps, as those of containers that ask for none.
    BuildSteps(ContainerRuntime runtime, SpecComposer composer, Memberships networks, OwnFiles files, IdMaps remap) {
        this.runtime = runtime;
        this.composer = composer;
        this.networks = networks;
        this.etc = files.etc;
        this.layout = files.layout;
        this.remap = remap;
    }

    @Override
    public int run(StepRun run, Output output) throws EngineException, InterruptedException, WrongFormat {
        Path directory = layout.container(run.id());
        try {
            Files.createDirectory(directory);
            return started(run, output);
        } catch (IOException e) {
            throw Failures.io("cannot run a build's step in " + directory, e);
        } finally {
            try {
                Remover.deleteTree(directory);
                Remover.deleteTree(layout.etc(run.id()));
            } catch (IOException e) {
                LOG.warn("the directory of build step {} was not removed", run.id(), e);
            }
        }
    }

    private int started(StepRun run, Output output) throws EngineException, InterruptedException, WrongFormat {
        var container = snapshot(run);
        try (var network = networks.attach(container, Sharings.Shared.NONE, () -> { })) {
            return started(run, container, network, output);
        } finally {
            networks.detach(container);
        }
    }

    private int started(StepRun run, ContainerSnapshot container, StartNetwork network, Output output)
            throws EngineException, InterruptedException, WrongFormat {
        var files = layout.files(run.id());
        etc.write(files, container.config().names().host(), container.host(), network.known());
        var places = new SpecComposer.Places(files, network.namespace(), network.users(),
                Sharings.Joined.NONE, List.of());
        var bundle = new Bundle(run.id(), spec(run, container, places), run.root().withDiscardable(true),
                layout.run(run.id()), layout.container(run.id()),
                new UserRequest(run.user(), List.of()), Stdio.CLOSED, LogOptions.none(files.log()));
        try (var endpoint = runtime.endpoint(EnumSet.of(StdStream.STDOUT, StdStream.STDERR))) {
            RunningContainer process;
            try {
                process = network.during(() -> runtime.start(bundle, List.of(endpoint), network));
            } catch (StartFailure e) {
                if (e.kind() == StartFailure.Kind.WRONG_FORMAT) {
                    throw new WrongFormat(e.getMessage(), e);
                }
                throw e.toEngineException();
            }
            return watched(process, endpoint.channel(), output);
        }
    }

    private static int watched(RunningContainer process, SocketChannel channel, Output output)
            throws EngineException, InterruptedException {
        boolean ended = false;
        try {
            relay(channel, output);
            int code = process.awaitExit().code();
            ended = true;
            return code;
        } finally {
            boolean interrupted = Thread.interrupted(); // what follows must not be cut short
            if (!ended) {
                interrupted |= kill(process);
            }
            process.delete();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// The build is stopped: so is its program, and this waits until it is gone.
    /// @return whether somebody interrupted meanwhile
    private static boolean kill(RunningContainer process) {
        try {
            process.signal(Signals.SIGKILL);
            process.awaitExit();
        } catch (EngineException e) {
            LOG.debug("a build's program had ended before it was killed", e);
        } catch (InterruptedException e) {
            return true;
        }
        return false;
    }

    /// Passes on what the program prints until it ends.
    private static void relay(SocketChannel channel, Output output) throws InterruptedException {
        var buffer = ByteBuffer.allocate(BUFFER);
        int stream = 1;
        int left = 0;
        try {
            while (channel.read(buffer) >= 0) {
                buffer.flip();
                while (buffer.hasRemaining()) {
                    if (left == 0) {
                        if (buffer.remaining() < FRAME) {
                            break;
                        }
                        stream = buffer.get();
                        left = buffer.position(buffer.position() + 3).getInt();
                        continue;
                    }
                    byte[] bytes = new byte[Math.min(left, buffer.remaining())];
                    buffer.get(bytes);
                    left -= bytes.length;
                    output.print(stream, bytes);
                }
                buffer.compact();
            }
        } catch (IOException e) {
            if (Thread.currentThread().isInterrupted()) {
                throw new InterruptedException("the build was stopped");
            }
            LOG.debug("the output of a build's program broke off", e);
        }
    }

    private ContainerSnapshot snapshot(StepRun run) throws EngineException {
        var config = ContainerConfig.parse(Json.object()
                .put("Hostname", run.hostName().isEmpty() ? "buildkitsandbox" : run.hostName())
                .put("User", run.user())
                .put("WorkingDir", run.directory())
                .put("Env", Json.ofTexts(run.environment()))
                .build());
        String mode = networks.mode(run.network());
        boolean mapped = !remap.none() && !run.insecure();
        if (mapped && mode.equals("host")) { // a Dockerfile may ask for it, whoever wrote it
            throw new EngineException.Invalid(UserChoice.NO_HOST_NETWORK);
        }
        return new ContainerSnapshot(run.id(), "build-" + run.id().substring(0, 12), Instant.EPOCH,
                new ContainerSnapshot.Image("", "", "linux"), run.arguments(), config,
                host(run, mode).with(mapped ? remap : IdMaps.NONE),
                networks.joined(mode, run.network(), NetworkingConfig.NONE, config), new State.Created(Optional.empty()),
                ContainerSnapshot.Restarts.NONE);
    }

    private static HostConfig host(StepRun run, String network) throws EngineException.Invalid {
        BuildLimits limits = run.limits();
        var document = Json.object()
                .put("NetworkMode", network)
                .put("CgroupnsMode", "private")
                .put("IpcMode", "private")
                .put("Privileged", run.insecure())
                .put("CgroupParent", limits.cgroupParent())
                .put("ExtraHosts", Json.ofTexts(limits.extraHosts()))
                .put("Ulimits", Json.ofAll(limits.ulimits().stream().map(each -> Json.object().put("Name", each.name())
                        .put("Soft", each.soft()).put("Hard", each.hard()).build()).toList()))
                .put("Memory", limits.memoryBytes())
                .put("MemorySwap", limits.swapBytes())
                .put("CpuShares", limits.cpu().shares())
                .put("CpuPeriod", limits.cpu().periodMicros())
                .put("CpuQuota", limits.cpu().quotaMicros())
                .put("CpusetCpus", limits.cpu().cpus())
                .put("CpusetMems", limits.cpu().memoryNodes());
        if (limits.shmBytes() > 0) {
            document.put("ShmSize", limits.shmBytes());
        }
        return HostConfig.parse(document.build());
    }

    private RuntimeSpec spec(StepRun run, ContainerSnapshot container, SpecComposer.Places places)
            throws EngineException {
        var spec = composer.compose(container, places, HostDevices.find(container.host()));
        var ids = container.host().namespaces().ids();
        var asked = new ArrayList<>(run.mounts());
        asked.sort(Comparator.comparingInt(mount -> mount.target().split("/").length));
        var mounts = new ArrayList<>(spec.mounts());
        for (var mount : asked) {
            mounts.removeIf(standard -> standard.destination().equals(mount.target()));
            mounts.add(switch (mount) {
                case StepMount.Bind(var target, var source, var readOnly) -> Mount.of(target, "bind", source.toString(),
                        options(readOnly, ids.none() ? List.of() : List.of("idmap")));
                case StepMount.Layers layers -> layers(layers, ids);
                case StepMount.Own(var target, var source, var uid, var gid) -> Mount.of(target, "bind", source.toString(),
                        options(true, ids.none() ? List.of() : OwnFile.options(ids, uid, gid)));
                case StepMount.Tmpfs(var target, var bytes) -> Mount.of(target, "tmpfs", "tmpfs",
                        bytes > 0 ? List.of("nosuid", "nodev", "size=" + bytes) : List.of("nosuid", "nodev"));
            });
        }
        return spec.withMounts(mounts);
    }

    /// Owners cannot be mapped in an overlay, only in what it is made of.
    private static Mount layers(StepMount.Layers layers, IdMaps ids) {
        if (ids.none()) {
            return Mount.of(layers.target(), "bind", layers.source().toString(), options(true, List.of()));
        }
        return MountPlan.layers(layers.target(), layers.path(), layers.lowers());
    }

    private static List<String> options(boolean readOnly, List<String> owners) {
        return Stream.concat(Stream.of("rbind", readOnly ? "ro" : "rw", "rprivate"), owners.stream()).toList();
    }
}
