package carafe.build.step;

import carafe.build.plan.Mount;
import carafe.build.plan.Operation;
import carafe.build.plan.Origin;
import carafe.build.tree.FileSource;
import carafe.build.tree.LayerMember;
import carafe.build.tree.MountedTree;
import carafe.build.tree.Node;
import carafe.build.tree.RootView;
import carafe.build.tree.Scratch;
import carafe.build.tree.TreeCopy;
import carafe.build.tree.UpperLayer;
import carafe.image.Snapshots;
import carafe.kernel.Descriptors;
import carafe.kernel.FdStream;
import carafe.kernel.FileTree;
import carafe.kernel.Inodes;
import carafe.kernel.Linux;
import carafe.spec.EngineException;
import carafe.spec.build.BuildLimits;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Platform;
import carafe.spec.oci.RootfsPlan;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/// RUN: a snapshot on the layers so far, what the step mounts, the program, and the layer it leaves. Closing it removes
/// everything that was made for it; secrets lie in a private directory on memory meanwhile, never in the snapshot.
public final class RunStep implements AutoCloseable {

    /// Mount points that every container has.
    static final List<String> STANDARD_POINTS =
            List.of("proc", "dev", "sys", "etc/resolv.conf", "etc/hosts", "etc/hostname");

    /// Where steps work, and what they need of the outside.
    public record Place(Snapshots snapshots, StepRunner runner, CacheMounts caches, Scratch scratch, Path secrets,
            Emulators emulators) {}

    /// What this build gives its programs.
    public record Gift(Map<String, byte[]> secrets, Map<String, String> agents, BuildLimits limits) {}

    /// What a step sees where it has something mounted: `path` of `source`, which goes with the step.
    public record Seen(String target, FileSource source, String path) {}

    private final Place place;
    private final Operation.Run run;
    private final Platform platform;
    private final String id;
    private final RootfsPlan.Overlay root;
    private final List<AutoCloseable> opened = new ArrayList<>();
    private final List<StepRunner.StepMount> mounts = new ArrayList<>();
    private final List<Seen> seen = new ArrayList<>();
    private final List<String> environment;
    private final Set<String> points = new HashSet<>();
    private final Map<String, CacheMounts.Use> caches = new HashMap<>();
    private final Map<Mount.Cache, FileSource> beginnings = new HashMap<>();
    private Optional<MountedTree> below = Optional.empty();
    private Optional<MountedTree> upper = Optional.empty();
    private int files;

    private RunStep(Place place, Operation.Run run, Platform platform, String id, RootfsPlan.Overlay root) {
        this.place = place;
        this.run = run;
        this.platform = platform;
        this.id = id;
        this.root = root;
        this.environment = new ArrayList<>(run.environment());
        this.environment.addAll(run.hidden());
    }

    /// Prepares `run`, a program for `platform`, on top of `layers`; `id` names snapshot and container.
    public static RunStep prepare(Place place, Operation.Run run, Platform platform, String id, List<Digest> layers)
            throws EngineException {
        return new RunStep(place, run, platform, id, place.snapshots.prepare(id, layers));
    }

    /// Runs the program.
    /// @throws StepFailed it ended with another code than 0; what it wrote can still be taken by [#members]
    public void run(Origins origins, Gift gift, StepRunner.Output output)
            throws IOException, EngineException, InterruptedException, StepFailed {
        var files = RootView.readOnly(root);
        below = Optional.of(files);
        var obstacle = place.emulators.obstacle(platform, run, files);
        if (obstacle.isPresent()) {
            throw new EngineException.Unsupported(obstacle.get());
        }
        run.script().ifPresent(_ -> points.add("dev"));
        STANDARD_POINTS.forEach(this::point);
        openBeginnings(origins);
        takeCaches();
        for (var mount : run.mounts()) {
            point(mount.target().substring(1));
            mount(mount, origins, gift);
        }
        if (run.script().isPresent()) {
            script(run.script().get());
        }
        points.removeIf(point -> isThere(point));
        var step = new StepRunner.StepRun(id, root, run.arguments(), environment, run.directory(), run.user(), mounts,
                run.network(), run.hostName(), run.insecure(), gift.limits);
        int code;
        try {
            code = place.runner.run(step, output);
        } catch (WrongFormat e) {
            var explanation = place.emulators.explanation(platform, run, files);
            if (explanation.isEmpty()) {
                throw new EngineException.Invalid(e.getMessage());
            }
            throw new EngineException.Unsupported(e.getMessage() + "; " + explanation.get());
        }
        if (code != 0) {
            throw new StepFailed(String.join(" ", run.arguments()), code);
        }
    }

    private void point(String path) {
        for (int slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
            points.add(path.substring(0, slash));
        }
        points.add(path);
    }

    private boolean isThere(String path) {
        try {
            return below.orElseThrow().find(path).isPresent();
        } catch (IOException e) {
            return true; // then what is found later is the program's
        }
    }

    /// What the program left, as the members of a layer; none when it changed nothing. Contents are read before close.
    /// @throws EngineException.Invalid a file has a name that would delete another one
    public List<LayerMember> members(Optional<Node.Time> latest) throws IOException, EngineException {
        var written = RootView.upper(root);
        upper = Optional.of(written);
        return UpperLayer.of(written, below.orElseThrow(), points, latest);
    }

    /// What the step has mounted of the build's: binds and caches, in the order in which they are said.
    public List<Seen> seen() {
        return List.copyOf(seen);
    }

    private void mount(Mount mount, Origins origins, Gift gift) throws IOException, EngineException, InterruptedException {
        switch (mount) {
            case Mount.Bind bind -> bind(bind, origins);
            case Mount.Cache cache -> cache(cache);
            case Mount.Tmpfs tmpfs -> mounts.add(new StepRunner.StepMount.Tmpfs(tmpfs.target(), tmpfs.sizeBytes()));
            case Mount.Secret secret -> secret(secret, gift);
            case Mount.Ssh ssh -> ssh(ssh, gift);
        }
    }

    private void bind(Mount.Bind bind, Origins origins) throws IOException, EngineException, InterruptedException {
        var source = origins.open(bind.from());
        opened.add(source);
        var node = source.follow(bind.source()).orElseThrow(() -> new EngineException.Invalid(
                "the source /" + bind.source() + " of the mount on " + bind.target() + " is not there"));
        if (source instanceof MountedTree tree && !tree.layers().isEmpty() && !bind.writable()) {
            mounts.add(new StepRunner.StepMount.Layers(bind.target(), descriptorPath(tree, bind.source()), tree.layers(),
                    bind.source()));
            seen.add(new Seen(bind.target(), source, bind.source()));
            return;
        }
        Path copy = scratchDirectory();
        TreeCopy.into(copy, source, node);
        see(bind.target(), copy, node.isDirectory() ? "" : node.name());
        Path shown = node.isDirectory() ? copy : copy.resolve(node.name());
        mounts.add(new StepRunner.StepMount.Bind(bind.target(), shown, !bind.writable()));
    }

    private void see(String target, Path directory, String path) throws IOException {
        var tree = MountedTree.adopt(Descriptors.open(directory, Linux.O_PATH | Linux.O_DIRECTORY, 0));
        opened.add(tree);
        seen.add(new Seen(target, tree, path));
    }

    /// The path of a descriptor that was opened inside the tree: whatever its names lead to later, it is this file.
    private Path descriptorPath(MountedTree tree, String source) throws IOException {
        var fd = tree.tree().open(source.isEmpty() ? "/" : source, Linux.O_PATH, 0);
        opened.add(fd);
        return Path.of("/proc/self/fd/" + fd.number());
    }

    /// Opens what new cache mounts begin with. That may wait for another stage, which may want the same mounts: so it is done
    /// before any is taken.
    private void openBeginnings(Origins origins) throws IOException, EngineException, InterruptedException {
        for (var mount : run.mounts()) {
            if (mount instanceof Mount.Cache cache && cache.from().isPresent()
                    && !(cache.from().get() instanceof Origin.Scratch) && !beginnings.containsKey(cache)) {
                var source = origins.open(cache.from().get());
                opened.add(source);
                beginnings.put(cache, source);
            }
        }
    }

    /// What the mounts of this id begin with where there is none yet: the files that the first one says, if any does.
    private CacheMounts.Beginning beginning(String id) {
        var first = run.mounts().stream().flatMap(mount -> mount instanceof Mount.Cache cache && cache.id().equals(id)
                && beginnings.containsKey(cache) ? Stream.of(cache) : Stream.empty()).findFirst();
        return directory -> {
            if (first.isPresent()) {
                var cache = first.get();
                var source = Optional.ofNullable(beginnings.get(cache)).orElseThrow();
                var node = source.follow(cache.source()).filter(Node::isDirectory).orElseThrow(() ->
                        new EngineException.Invalid("the source /" + cache.source() + " of the cache mount on "
                                + cache.target() + " is no directory"));
                TreeCopy.into(directory, source, node);
            }
        };
    }

    /// Takes the directories of all cache mounts but private ones, by id, each once: steps that want the same ones in
    /// another order do not wait for each other, nor a step for itself.
    private void takeCaches() throws IOException, EngineException, InterruptedException {
        var wanted = new TreeMap<String, Mount.Cache>();
        for (var mount : run.mounts()) {
            if (mount instanceof Mount.Cache cache && cache.sharing() != Mount.Sharing.PRIVATE) {
                wanted.merge(cache.id(), cache,
                        (first, next) -> first.sharing() == Mount.Sharing.LOCKED ? first : next);
            }
        }
        for (var cache : wanted.values()) {
            var use = place.caches.use(cache, beginning(cache.id()));
            opened.add(use);
            caches.put(cache.id(), use);
        }
    }

    private void cache(Mount.Cache cache) throws IOException, EngineException, InterruptedException {
        CacheMounts.Use use;
        if (cache.sharing() == Mount.Sharing.PRIVATE) {
            use = place.caches.use(cache, beginning(cache.id()));
            opened.add(use);
        } else {
            use = Optional.ofNullable(caches.get(cache.id())).orElseThrow();
        }
        mounts.add(new StepRunner.StepMount.Bind(cache.target(), use.data, cache.readOnly()));
        see(cache.target(), use.data, "");
    }

    private void secret(Mount.Secret secret, Gift gift) throws IOException, EngineException {
        byte[] content = gift.secrets.get(secret.id());
        if (content == null) {
            if (secret.required()) {
                throw new EngineException.Invalid("secret " + secret.id() + ": not found; give it with --secret id="
                        + secret.id() + ",src=FILE");
            }
            return;
        }
        secret.environment().ifPresent(name ->
                environment.add(name + "=" + new String(content, StandardCharsets.UTF_8)));
        if (secret.file()) {
            own(secret.target(), file(content, secret.owner()), secret.owner());
        }
    }

    private void ssh(Mount.Ssh ssh, Gift gift) throws IOException, EngineException {
        String socket = gift.agents.get(ssh.id());
        if (socket == null) {
            if (ssh.required()) {
                throw new EngineException.Invalid("ssh agent " + ssh.id() + ": not found; give it with --ssh " + ssh.id());
            }
            return;
        }
        Path directory = secretDirectory();
        String name = "f" + files++;
        try (var tree = FileTree.open(directory)) { // by its descriptor: the path itself may be too long for a socket
            opened.add(AgentSocket.listen(Path.of("/proc/self/fd/" + tree.root().number(), name), Path.of(socket), ssh.id(),
                    ssh.owner()));
        }
        own(ssh.target(), directory.resolve(name), ssh.owner());
        if (environment.stream().noneMatch(entry -> entry.startsWith("SSH_AUTH_SOCK="))) { // the first one, as BuildKit
            environment.add("SSH_AUTH_SOCK=" + ssh.target());
        }
    }

    private void script(Operation.Script script) throws IOException {
        var owner = new Mount.Owner(0755, 0, 0);
        own(script.path(), file(script.content().getBytes(StandardCharsets.UTF_8), owner), owner);
    }

    private void own(String target, Path source, Mount.Owner owner) {
        mounts.add(new StepRunner.StepMount.Own(target, source, owner.uid(), owner.gid()));
    }

    /// A file in the private directory.
    private Path file(byte[] content, Mount.Owner owner) throws IOException {
        Path directory = secretDirectory();
        String name = "f" + files++;
        try (var tree = FileTree.open(directory); var root = tree.directory("/"); var file = root.create(name, 0600)) {
            FdStream.write(file, content);
            Inodes.chown(file, owner.uid(), owner.gid());
            Inodes.chmod(file, owner.mode());
        }
        return directory.resolve(name);
    }

    private Path secretDirectory() throws IOException {
        Path directory = place.secrets.resolve(id);
        if (!Files.isDirectory(directory)) {
            Files.createDirectory(directory);
            opened.add(() -> delete(place.secrets));
        }
        return directory;
    }

    private Path scratchDirectory() throws IOException {
        Path directory = place.scratch.directory().resolve(id);
        if (!Files.isDirectory(directory)) {
            Files.createDirectory(directory);
            opened.addFirst(() -> delete(place.scratch.directory()));
        }
        Path inside = directory.resolve("m" + files++);
        Files.createDirectory(inside);
        return inside;
    }

    private void delete(Path parent) throws IOException {
        try (var tree = FileTree.open(parent)) {
            tree.deleteTree(id);
        }
    }

    /// Removes what was made for the step, its snapshot last.
    @Override
    public void close() throws EngineException {
        var all = new ArrayList<>(opened.reversed());
        upper.ifPresent(all::add);
        below.ifPresent(all::add);
        Exception first = null;
        for (var each : all) {
            try {
                each.close();
            } catch (Exception e) {
                first = first == null ? e : first;
            }
        }
        place.snapshots.remove(id);
        if (first != null) {
            throw new EngineException.Internal("cannot clean up after a step: " + first.getMessage(), first);
        }
    }
}
