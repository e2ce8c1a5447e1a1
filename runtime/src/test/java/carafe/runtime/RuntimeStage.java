package carafe.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.Cgroups;
import carafe.kernel.Seccomp;
import carafe.kernel.Spawner;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.oci.RootfsPlan;
import carafe.spec.oci.RuntimeSpec;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/// A runtime with everything it stands on, in a directory of its own, and busybox as the image of its containers.
/// [#close] proves that nothing is left: mounts, control groups, processes, descriptors.
final class RuntimeStage {

    static final Path ROOT = Path.of(System.getProperty("carafe.root"));
    static final Path NATIVE = Path.of(System.getProperty("carafe.native"));
    static final Path BUSYBOX = ROOT.resolve("e2e/target/tools/busybox/usr/bin/busybox");

    private static final AtomicInteger NUMBER = new AtomicInteger();
    private static final long DEADLINE_MILLIS = 60_000;

    final Path directory;
    final Path image;
    final Spawner spawner;
    final Cgroups cgroups;
    final LinuxRuntime runtime;
    final String name = "t" + ProcessHandle.current().pid() + "-" + NUMBER.incrementAndGet();
    private final List<String> descriptors;
    private final List<RunningContainer> started = new ArrayList<>();
    private final Assembly assembly;
    private int containers;

    RuntimeStage() throws Exception {
        this(Failpoints.none());
    }

    RuntimeStage(Failpoints failpoints) throws Exception {
        this(failpoints, Assembly.ofThisKernel());
    }

    RuntimeStage(Assembly assembly) throws Exception {
        this(Failpoints.none(), assembly);
    }

    private RuntimeStage(Failpoints failpoints, Assembly assembly) throws Exception {
        this.assembly = assembly;
        directory = Files.createTempDirectory("carafe-runtime-" + name + "-");
        image = image(directory.resolve("image"));
        SocketChannel.open(StandardProtocolFamily.UNIX).close(); // the JDK keeps a descriptor from the first one on
        descriptors = descriptors();
        spawner = Spawner.start(NATIVE.resolve("carafe-spawner"));
        cgroups = Cgroups.open();
        runtime = open(failpoints);
    }

    /// Another runtime over the same kernel, as the daemon's next life has it.
    LinuxRuntime open(Failpoints failpoints) throws Exception {
        return LinuxRuntime.open(new LinuxRuntime.Host(spawner, cgroups, seccomp()),
                directory.resolve("runtime-" + NUMBER.incrementAndGet()), failpoints, assembly);
    }

    static Optional<Seccomp> seccomp() {
        return Seccomp.find(Path.of(System.getProperty("java.io.tmpdir"), "carafe-test-filters"));
    }

    /// A tree with busybox under all its names, a passwd with three users, and some files to trip over.
    private static Path image(Path root) throws Exception {
        for (String path : List.of("bin", "etc", "proc", "dev", "sys", "tmp", "root", "home/app", "data")) {
            Files.createDirectories(root.resolve(path));
        }
        Files.copy(BUSYBOX, root.resolve("bin/busybox"));
        var list = new ProcessBuilder(BUSYBOX.toString(), "--list").start();
        for (String applet : new String(list.getInputStream().readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
            Path link = root.resolve("bin").resolve(applet);
            if (!Files.exists(link)) {
                Files.createSymbolicLink(link, Path.of("busybox"));
            }
        }
        Files.writeString(root.resolve("etc/passwd"), """
                root:x:0:0:root:/root:/bin/sh
                app:x:1000:1001:App:/home/app:/bin/sh
                huge:x:4294967296:0:overflow:/:/bin/sh
                """);
        Files.writeString(root.resolve("etc/group"), """
                root:x:0:root
                app:x:1001:
                audio:x:29:app
                video:x:44:app,other
                """);
        Files.writeString(root.resolve("etc/not-executable"), "just text\n");
        Files.writeString(root.resolve("bin/garbage"), "\u007fELF but not really\n");
        Files.setPosixFilePermissions(root.resolve("bin/garbage"),
                PosixFilePermissions.fromString("rwxr-xr-x"));
        return root;
    }

    /// A new id; its number tells whose a leak is.
    String id() {
        return name + "-" + ++containers;
    }

    /// A bundle for `spec`, whose hostname is its id.
    Bundle bundle(RuntimeSpec spec) throws IOException {
        return bundle(spec, UserRequest.NONE, Stdio.CLOSED);
    }

    Bundle bundle(RuntimeSpec spec, UserRequest user, Stdio stdio) throws IOException {
        String id = spec.linux().cgroupsPath().substring(spec.linux().cgroupsPath().lastIndexOf('/') + 1);
        Path home = directory.resolve(id);
        for (String part : List.of("upper", "work", "log")) {
            Files.createDirectories(home.resolve(part));
        }
        return new Bundle(
                id, spec, new RootfsPlan.Overlay(List.of(image), home.resolve("upper"), home.resolve("work")),
                home.resolve("run"), home, user, stdio, LogOptions.jsonFile(home.resolve("log/json.log")));
    }

    /// What a program printed and how it ended.
    record Output(String out, String err, ExitInfo exit) {}

    /// Runs a default container to its end.
    Output run(String... args) throws Exception {
        return run(bundle(TestSpecs.standard(id(), args)));
    }

    Output run(Bundle bundle) throws Exception {
        try (var client = runtime.endpoint(Set.of(StdStream.STDOUT, StdStream.STDERR))) {
            var container = runtime.start(bundle, List.of(client));
            return finish(container, client, bundle.spec().process().terminal());
        }
    }

    /// Reads to the end, waits, deletes.
    Output finish(RunningContainer container, AttachEndpoint client, boolean terminal) throws Exception {
        started.add(container);
        var streams = Streams.read(client.channel(), terminal);
        var exit = container.awaitExit();
        container.delete();
        return new Output(streams.out(), streams.err(), exit);
    }

    /// Runs an exec to its end.
    Output exec(RunningContainer container, ExecSpec spec) throws Exception {
        try (var client = runtime.endpoint(Set.of(StdStream.STDOUT, StdStream.STDERR))) {
            var process = container.exec(spec, List.of(client));
            var streams = Streams.read(client.channel(), spec.terminal());
            var exit = process.awaitExit();
            process.delete();
            return new Output(streams.out(), streams.err(), exit);
        }
    }

    ExecSpec execSpec(String... args) {
        String id = "e" + NUMBER.incrementAndGet();
        return new ExecSpec(
                id, directory.resolve(id), List.of(args), List.of(TestSpecs.PATH), "", UserRequest.NONE, false,
                Optional.empty(), false, Stdio.CLOSED);
    }

    /// Starts a container that stays until it is killed.
    RunningContainer sleeping() throws Exception {
        return start(bundle(TestSpecs.standard(id(), "sleep", "1000")));
    }

    RunningContainer start(Bundle bundle) throws Exception {
        return start(bundle, List.of());
    }

    RunningContainer start(Bundle bundle, List<AttachEndpoint> clients) throws Exception {
        var container = runtime.start(bundle, clients);
        started.add(container);
        return container;
    }

    /// Kills, waits, deletes.
    static void end(RunningContainer container) throws Exception {
        container.signal(9);
        container.awaitExit();
        container.delete();
    }

    static void await(String what, Condition condition) throws Exception {
        long end = System.currentTimeMillis() + DEADLINE_MILLIS;
        while (!condition.holds()) {
            if (System.currentTimeMillis() > end) {
                throw new AssertionError("waited in vain: " + what + "; descriptors are " + descriptors());
            }
            Thread.sleep(2);
        }
    }

    interface Condition {
        boolean holds() throws Exception;
    }

    /// Output as text, taken out of Docker's frames unless it is a terminal's.
    record Streams(String out, String err) {
        static Streams read(SocketChannel channel, boolean terminal) throws IOException {
            byte[] all = Channels.newInputStream(channel).readAllBytes();
            if (terminal) {
                return new Streams(new String(all, StandardCharsets.UTF_8), "");
            }
            var out = new StringBuilder();
            var err = new StringBuilder();
            int at = 0;
            while (at < all.length) {
                int length = ByteBuffer.wrap(all, at + 4, 4).getInt();
                (all[at] == 1 ? out : err).append(new String(all, at + 8, length, StandardCharsets.UTF_8));
                at += 8 + length;
            }
            return new Streams(out.toString(), err.toString());
        }
    }

    /// Mounts of the host that carry this stage's name (others come and go on a shared machine).
    private List<String> mountsLeft() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/mountinfo")).stream().filter(line -> line.contains(name)).toList();
    }

    /// Our descriptors by what they lead to, without those of the JDK: its files, its pollers.
    static List<String> descriptors() throws IOException {
        var found = new ArrayList<String>();
        try (var list = Files.list(Path.of("/proc/self/fd"))) {
            for (Path fd : list.toList()) {
                try {
                    String target = Files.readSymbolicLink(fd).toString();
                    if (!target.matches("anon_inode:\\[event.*|.*\\.jar|.*/lib/modules|/dev/u?random|/proc/.*/fd|.*/jrt-fs.*")) {
                        found.add(target.replaceAll("[0-9]+]", "N]"));
                    }
                } catch (IOException gone) {
                    // closed while we looked
                }
            }
        }
        found.sort(null);
        return found;
    }

    /// Control groups that carry this stage's name.
    List<String> cgroupsLeft() throws Exception {
        return cgroups.list("/carafe-test").stream().map(Object::toString).filter(path -> path.contains(name)).toList();
    }

    /// Processes whose command line carries this stage's name.
    List<String> processesLeft() throws IOException {
        var left = new ArrayList<String>();
        try (var all = Files.list(Path.of("/proc"))) {
            for (Path process : all.filter(p -> p.getFileName().toString().matches("[0-9]+")).toList()) {
                try {
                    String line = Files.readString(process.resolve("cmdline"), StandardCharsets.ISO_8859_1);
                    if (line.contains(name)) {
                        left.add(process.getFileName() + " " + line.replace('\0', ' '));
                    }
                } catch (IOException gone) {
                    // it ended while we looked
                }
            }
        }
        return left;
    }

    void assertNothingIsLeft() throws Exception {
        await("no monitor of " + name + " left: " + processesLeft(), () -> processesLeft().isEmpty());
        assertThat(cgroupsLeft()).isEmpty();
        assertThat(mountsLeft()).isEmpty();
    }

    void close() throws Exception {
        for (var container : started) {
            if (container.exited().isEmpty()) {
                try {
                    container.signal(9);
                } catch (EngineException.Conflict e) {
                    // it ends by itself just now
                }
                container.awaitExit();
            }
            container.delete();
        }
        try {
            assertNothingIsLeft();
        } finally {
            runtime.close();
            spawner.close();
            cgroups.close();
        }
        awaitDescriptors("left", descriptors);
        deleteTree(directory);
    }

    /// Waits until no more descriptors are open than `before`.
    static void awaitDescriptors(String what, List<String> before) throws Exception {
        await("descriptors " + what, () -> {
            var left = new ArrayList<>(descriptors());
            before.forEach(left::remove);
            return left.isEmpty();
        });
    }

    static void deleteTree(Path root) throws IOException {
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, IOException e) throws IOException {
                Files.delete(directory);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
