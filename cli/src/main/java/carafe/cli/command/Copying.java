package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.copy.CopyEnd;
import carafe.cli.copy.CopyException;
import carafe.cli.copy.CopyPlan;
import carafe.cli.copy.LocalPacker;
import carafe.cli.copy.LocalUnpacker;
import carafe.cli.format.Human;
import carafe.http.ClientResponse;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.PathStat;
import java.io.IOException;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;

/// `cp`: files between a container and here.
final class Copying {

    private static final String STAT = "X-Docker-Container-Path-Stat";

    private final Call call;

    private Copying(Call call) {
        this.call = call;
    }

    static Command command(String path) {
        var command = Command.of(path,
                        "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n  carafe " + path
                                + " [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
                        "Copy files/folders between a container and the local filesystem")
                .aliases("container cp", "cp").words(2, 2);
        command.flags().bool("a,archive", "Archive mode (copy all uid/gid information)");
        command.flags().bool("L,follow-link", "Always follow symbol link in SRC_PATH");
        command.flags().bool("q,quiet", "Suppress progress output during copy. Progress output is automatically"
                + " suppressed if no terminal is attached");
        return command.does(call -> new Copying(call).run());
    }

    /// A word of the command: the container it names (`""`: it is local) and the path.
    private record Place(String container, String path) {
        static Place of(String word) {
            int colon = word.indexOf(':');
            boolean local = word.startsWith("/") || colon < 0 || word.startsWith(".");
            return local ? new Place("", word) : new Place(word.substring(0, colon), word.substring(colon + 1));
        }
    }

    private int run() throws Failure, EngineError, EngineException.Invalid, IOException {
        if (call.word(0).isEmpty()) {
            throw new Failure(1, "source can not be empty");
        }
        if (call.word(1).isEmpty()) {
            throw new Failure(1, "destination can not be empty");
        }
        var source = Place.of(call.word(0));
        var destination = Place.of(call.word(1));
        if (!source.container.isEmpty() && !destination.container.isEmpty()) {
            throw new Failure(1, "copying between containers is not supported");
        }
        if (source.container.isEmpty() && destination.container.isEmpty()) {
            throw new Failure(1, "must specify at least one container source");
        }
        try {
            return source.container.isEmpty() ? into(source, destination) : outOf(source, destination);
        } catch (CopyException e) {
            throw new Failure(1, e.getMessage());
        }
    }

    private static Target archive(String container, String path) {
        return Target.of("containers", container, "archive").with("path", path);
    }

    private static PathStat stat(ClientResponse answer) throws IOException, EngineException.Invalid {
        String header = answer.headers().first(STAT).orElseThrow(
                () -> new IOException("the engine did not say what it copies"));
        return PathStat.of(Json.parseObject(Base64.getDecoder().decode(header)));
    }

    /// What is at a path inside; null when nothing is.
    private @org.jspecify.annotations.Nullable PathStat look(String container, String path)
            throws Failure, EngineError, IOException, EngineException.Invalid {
        try (var answer = call.engine().head(archive(container, path))) {
            return stat(answer);
        } catch (EngineError e) {
            if (e.isNotFound()) {
                return null;
            }
            throw e;
        }
    }

    private int outOf(Place source, Place destination)
            throws Failure, EngineError, IOException, EngineException.Invalid, CopyException {
        boolean toOutput = destination.path.equals("-");
        Path local = call.session().path(destination.path);
        if (!toOutput) {
            Path parent = local.normalize().getParent();
            if (parent != null && !Files.exists(parent)) {
                throw new Failure(1, "invalid output path: directory \"" + parent + "\" does not exist");
            }
        }
        String path = source.path;
        String shown = path;
        if (call.flags().truth("follow-link")) {
            var link = look(source.container, path);
            if (link != null && link.isSymlink()) {
                path = link.linkTarget();
            }
        }
        try (var answer = call.engine().open(archive(source.container, path))) {
            if (toOutput) {
                answer.body().transferTo(call.session().out());
                return 0;
            }
            var stat = stat(answer);
            var from = new CopyEnd(path, true, stat.isDirectory());
            var to = new CopyEnd(CopyEnd.closed(local.normalize().toString(), destination.path),
                    Files.exists(local), Files.isDirectory(local));
            var plan = CopyPlan.of(from, to);
            if (!path.equals(shown) && plan.to().isEmpty()) { // followed: it keeps the link's name
                plan = new CopyPlan(plan.directory(), from.base(), new CopyEnd(shown, true, false).base());
            }
            long bytes = LocalUnpacker.unpack(answer.body(), Path.of(plan.directory()), plan);
            done(bytes, local.normalize().toString());
            return 0;
        }
    }

    private int into(Place source, Place destination)
            throws Failure, EngineError, IOException, EngineException.Invalid, CopyException {
        String path = destination.path;
        var there = look(destination.container, path);
        if (there != null && there.isSymlink()) {
            path = there.linkTarget();
            there = look(destination.container, path);
        }
        long kinds = PathStat.DEVICE | PathStat.NAMED_PIPE | PathStat.SOCKET;
        if (there != null && (there.mode() & kinds) != 0) {
            throw new Failure(1, "destination \"" + destination.container + ":" + destination.path
                    + "\" must be a directory or regular file");
        }
        var to = new CopyEnd(path, there != null, there != null && there.isDirectory());
        if (source.path.equals("-")) {
            if (!to.directory()) {
                throw new Failure(1, "destination \"" + destination.container + ":" + destination.path
                        + "\" must be a directory");
            }
            send(destination.container, path, call.session().in());
            return 0;
        }
        Path file = call.session().path(source.path);
        String base = new CopyEnd(CopyEnd.closed(CopyEnd.clean(file.toString()), source.path), true, false).base();
        boolean followed = call.flags().truth("follow-link") || source.path.endsWith("/") || base.equals(".");
        if (!Files.exists(file, followed ? new java.nio.file.LinkOption[0]
                : new java.nio.file.LinkOption[] {java.nio.file.LinkOption.NOFOLLOW_LINKS})) {
            throw new Failure(1, "lstat " + file.normalize() + ": no such file or directory");
        }
        Path packed = followed ? file.toRealPath() : file;
        boolean directory = Files.isDirectory(packed, java.nio.file.LinkOption.NOFOLLOW_LINKS);
        if (!directory && source.path.endsWith("/")) {
            throw new Failure(1, "not a directory");
        }
        var from = new CopyEnd(base.equals(".") ? file + "/." : file.normalize().toString(), true, directory);
        var plan = CopyPlan.of(from, to);
        send(destination.container, plan, packed, base);
        done(-1, destination.container + ":" + path);
        return 0;
    }

    private void send(String container, CopyPlan plan, Path packed, String base)
            throws Failure, EngineError, IOException {
        var pipe = new PipedInputStream(64 << 10);
        var out = new PipedOutputStream(pipe);
        var failure = new java.util.concurrent.atomic.AtomicReference<IOException>();
        var packer = Thread.ofVirtual().name("pack").start(() -> {
            try (out) {
                LocalPacker.pack(packed, base, plan, out);
            } catch (IOException e) {
                failure.set(e);
            }
        });
        try (pipe) {
            send(container, plan.directory(), pipe);
        } finally {
            packer.interrupt();
        }
        if (failure.get() != null) {
            throw failure.get();
        }
    }

    private void send(String container, String directory, InputStream archive)
            throws Failure, EngineError, IOException {
        var target = archive(container, directory).with("noOverwriteDirNonDir", "true")
                .when(call.flags().truth("archive"), "copyUIDGID");
        try (var answer = call.engine().put(target, archive)) {
            answer.readBody(1 << 16);
        }
    }

    private void done(long bytes, String where) {
        if (!call.flags().truth("quiet") && call.session().terminal().isTerminal(1)) {
            call.session().say("Successfully copied " + (bytes < 0 ? "" : Human.size(bytes, 3) + " ") + "to " + where);
        }
    }
}
