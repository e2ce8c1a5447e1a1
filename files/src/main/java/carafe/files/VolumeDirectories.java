package carafe.files;

import carafe.kernel.Errno;
import carafe.kernel.FdStream;
import carafe.kernel.FileTree;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.kernel.Mounts;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.oci.RootfsPlan;
import carafe.spec.tar.SentTar;
import carafe.spec.tar.TarWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What volumes keep, below one root that only its owner may enter: `NAME/_data`, and beside it `copying` while the
/// image's content is being copied there, so that half a copy is never taken for a volume's content. That is `filling`
/// where a filesystem is mounted, in which others may write too: such a copy is finished, never removed. What is removed
/// goes to `.trash` at once and is deleted in the background; what a crash leaves there is deleted by the next [#tidy].
/// `.id` says which directory of volumes this is: a path may lead to another one when a disk is not mounted.
/// Names are checked by whoever gives them. Callers see to it that one volume is not changed by two at a time.
public final class VolumeDirectories {

    private static final Logger LOG = LoggerFactory.getLogger(VolumeDirectories.class);
    private static final FileAttribute<?> CLOSED =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    private static final String DATA = "_data";
    private static final String COPYING = "copying";
    private static final String FILLING = "filling";
    private static final String ID = ".id";
    private static final int LONGEST_ID_BYTES = 100;
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final Path root;
    private final Path trash;
    private final Failpoints failpoints;
    private final Set<Thread> deletions = ConcurrentHashMap.newKeySet();
    private final PatientMounts mounts;

    private VolumeDirectories(Path root, Failpoints failpoints, Duration patience) {
        this.mounts = new PatientMounts(patience);
        this.root = root;
        this.trash = root.resolve(".trash");
        this.failpoints = failpoints;
    }

    /// Opens (or makes) the volumes below `root`; nothing that lies there is changed before [#tidy].
    public static VolumeDirectories open(Path root, Failpoints failpoints) throws EngineException {
        return open(root, failpoints, PATIENCE);
    }

    /// The same with another patience with servers of filesystems.
    static VolumeDirectories open(Path root, Failpoints failpoints, Duration patience) throws EngineException {
        var volumes = new VolumeDirectories(root, failpoints, patience);
        try {
            Files.createDirectories(volumes.trash, CLOSED);
            return volumes;
        } catch (IOException e) {
            throw Trouble.of("cannot open the volumes in " + root, e);
        }
    }

    /// Removes what a crash left, before anybody uses a volume: trash, in the background, and half-done copies.
    public void tidy() throws EngineException {
        try (var left = Files.newDirectoryStream(trash)) {
            left.forEach(this::deleteLater);
        } catch (IOException e) {
            throw Trouble.of("cannot look for removed volumes in " + trash, e);
        }
        dropHalfCopies();
    }

    /// Empties the volumes into which the image's content was being copied.
    public void dropHalfCopies() throws EngineException {
        for (var name : names(false)) {
            if (Files.exists(directory(name).resolve(COPYING))) {
                dropHalfCopy(name);
            }
        }
    }

    /// Where all volumes lie.
    public Path root() {
        return root;
    }

    /// What [#mark] wrote where the root leads now; empty if nothing is there.
    public Optional<String> id() throws EngineException {
        try (var file = Files.newInputStream(root.resolve(ID), LinkOption.NOFOLLOW_LINKS)) {
            return Optional.of(new String(file.readNBytes(LONGEST_ID_BYTES), StandardCharsets.UTF_8).strip());
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw Trouble.of("cannot read " + root.resolve(ID), e);
        }
    }

    /// Writes down, durably, that this directory of volumes is the one with this id, a few letters and digits.
    public void mark(String id) throws EngineException {
        Path fresh = root.resolve(ID + ".new");
        try {
            failpoints.pass("volumes.mark");
            try (var file = FileChannel.open(fresh, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                    StandardOpenOption.TRUNCATE_EXISTING)) {
                file.write(ByteBuffer.wrap((id + "\n").getBytes(StandardCharsets.UTF_8)));
                file.force(true);
            }
            Files.move(fresh, root.resolve(ID), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            try (var directory = FileChannel.open(root, StandardOpenOption.READ)) {
                directory.force(true);
            }
            failpoints.pass("volumes.marked");
        } catch (IOException e) {
            throw Trouble.of("cannot write " + root.resolve(ID), e);
        }
    }

    /// Where the content of `name` lies.
    public Path data(String name) {
        return directory(name).resolve(DATA);
    }

    /// The directory of `name` itself, with all that is kept of it.
    public Path directory(String name) {
        return root.resolve(name);
    }

    /// Whether something lies where volume `name` has its directory.
    public boolean isThere(String name) {
        return Files.exists(directory(name), LinkOption.NOFOLLOW_LINKS);
    }

    /// The names of all that are there. What is no directory, or has files but none of ours, is somebody else's. An empty
    /// directory may be an unfinished volume or, if its name is no volume's, a disk's `lost+found`: the caller knows names.
    public Set<String> names() throws EngineException {
        return names(true);
    }

    private Set<String> names(boolean tell) throws EngineException {
        var names = new HashSet<String>();
        try (var entries = Files.newDirectoryStream(root)) {
            for (var entry : entries) {
                String name = String.valueOf(entry.getFileName());
                if (!name.startsWith(".") && Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
                    if (isOurs(entry)) {
                        names.add(name);
                    } else if (tell) {
                        LOG.warn("{} is no volume, for it has no {}: it is left as it is", entry, DATA);
                    }
                }
            }
        } catch (IOException e) {
            throw Trouble.of("cannot list the volumes in " + root, e);
        }
        return names;
    }

    private static boolean isOurs(Path directory) {
        if (Files.exists(directory.resolve(DATA), LinkOption.NOFOLLOW_LINKS)) {
            return true;
        }
        try (var entries = Files.newDirectoryStream(directory)) {
            return !entries.iterator().hasNext(); // not finished
        } catch (IOException e) {
            LOG.warn("{} cannot be looked into and is left as it is: {}", directory, e.getMessage());
            return false;
        }
    }

    /// The limit of a volume's size.
    public interface Limit {

        /// A volume that may grow as large as the disk.
        Limit NONE = new Limit() {
            @Override
            public void place(Path directory) {}

            @Override
            public void check() {}

            @Override
            public String note() {
                return "";
            }
        };

        /// Limits the directory, which is empty, and all that will be made below it.
        void place(Path directory) throws EngineException;

        /// Looks whether the volume has become too large: root may write more than the limit.
        /// @throws EngineException.Unavailable by how much
        void check() throws EngineException;

        /// What is to be said of a disk that is full: the end of a sentence.
        String note();
    }

    /// Makes an empty volume; one that is there stays as it is, but that it must be empty to get a limit.
    public void make(String name, Limit limit) throws EngineException {
        try {
            failpoints.pass("volume.make");
            try {
                Files.createDirectory(directory(name), CLOSED);
                limit.place(directory(name));
            } catch (FileAlreadyExistsException e) {
                LOG.debug("the directory of volume {} is there already", name);
                if (limit != Limit.NONE) {
                    Files.deleteIfExists(data(name)); // what is made there later has the limit by its parent
                    limit.place(directory(name));
                }
            }
            try (var tree = FileTree.open(directory(name)); var parent = tree.directory("/")) {
                parent.mkdir(DATA, 0755);
            } catch (KernelException e) {
                if (!e.is(Errno.EEXIST)) {
                    throw e;
                }
            }
        } catch (IOException e) {
            throw Trouble.of("cannot make the volume " + name, e);
        }
    }

    /// Removes a volume that nobody uses: it is gone when this returns, its files soon after.
    public void remove(String name) throws EngineException {
        refusePending("remove", name);
        unmount(name);
        Path grave = trash.resolve(ProcessHandle.current().pid() + "-" + System.nanoTime() + "-" + name);
        try {
            failpoints.pass("volume.remove");
            Files.move(directory(name), grave, StandardCopyOption.ATOMIC_MOVE);
        } catch (NoSuchFileException e) {
            return;
        } catch (IOException e) {
            throw Trouble.of("cannot remove the volume " + name, e);
        }
        deleteLater(grave);
    }

    private void deleteLater(Path grave) {
        var deletion = Thread.ofVirtual().name("deletion of a volume").unstarted(() -> {
            try (var tree = FileTree.open(trash)) {
                tree.deleteTree(String.valueOf(grave.getFileName()));
            } catch (IOException e) {
                LOG.warn("{} was not deleted; the next start of the engine tries again: {}", grave, e.getMessage());
            } finally {
                deletions.remove(Thread.currentThread());
            }
        });
        deletions.add(deletion);
        deletion.start();
    }

    /// Waits until what was removed so far is deleted.
    public void awaitDeletions() throws InterruptedException {
        for (var deletion : deletions) {
            deletion.join();
        }
    }

    /// Gives a volume that nobody uses another name, which must be free.
    public void rename(String name, String next) throws EngineException {
        refusePending("rename", name);
        try {
            failpoints.pass("volume.rename");
            Files.move(directory(name), directory(next), StandardCopyOption.ATOMIC_MOVE);
            failpoints.pass("volume.renamed");
        } catch (IOException e) {
            throw Trouble.of("cannot rename the volume " + name + " to " + next, e);
        }
    }

    /// What the image of a container has at `path`.
    public record ImageContent(ContainerFiles files, RootfsPlan plan, String path) {}

    /// Copies what the image has into `name` if that is empty.
    public void copyUp(ImageContent from, String name, Limit limit) throws EngineException {
        Path mark = directory(name).resolve(COPYING);
        try {
            if (!isEmpty(name)) {
                return;
            }
            Files.write(mark, new byte[0]);
            failpoints.pass("volume.copy-up");
            if (from.files.copyUp(from.plan, from.path, data(name))) {
                sync(name);
                limit.check();
            }
            failpoints.pass("volume.copied-up");
            Files.deleteIfExists(mark);
        } catch (EngineException | IOException e) {
            dropHalfCopy(name);
            throw failed("cannot copy the image's content at " + from.path + " to volume " + name, e, limit);
        }
    }

    /// The same for a filesystem that is mounted on `name`. Others may write there too: a copy that fails leaves what it
    /// made, and the next call goes on with it.
    public void fillUp(ImageContent from, String name) throws EngineException {
        Path mark = directory(name).resolve(FILLING);
        try {
            if (!Files.exists(mark)) {
                if (!isEmpty(name)) {
                    return;
                }
                Files.write(mark, new byte[0]);
            }
            failpoints.pass("volume.copy-up");
            if (from.files.fillUp(from.plan, from.path, data(name))) {
                sync(name);
            }
            failpoints.pass("volume.copied-up");
            Files.deleteIfExists(mark);
        } catch (IOException e) {
            throw Trouble.of("cannot copy the image's content at " + from.path + " to volume " + name, e);
        }
    }

    /// What could not be done, and why; a full disk may be the volume's limit, so that is said too.
    private static EngineException failed(String doing, Exception e, Limit limit) {
        var why = e instanceof IOException io ? Trouble.of(doing, io) : (EngineException) e;
        return why instanceof EngineException.Unavailable && !limit.note().isEmpty()
                ? new EngineException.Unavailable(why.getMessage() + limit.note(), why)
                : why;
    }

    private void sync(String name) throws IOException {
        try (var tree = FileTree.open(directory(name)); var data = tree.open(DATA, Linux.O_RDONLY, 0)) {
            FdStream.syncFilesystem(data);
        }
    }

    /// Whether `name` holds nothing.
    public boolean isEmpty(String name) throws EngineException {
        try (var tree = FileTree.open(data(name))) {
            return tree.list("/").isEmpty();
        } catch (KernelException e) {
            if (e.is(Errno.ENOENT)) {
                return true;
            }
            throw Trouble.of("cannot look into the volume " + name, e);
        }
    }

    private void dropHalfCopy(String name) {
        try (var tree = FileTree.open(data(name)); var data = tree.directory("/")) {
            for (var entry : data.list()) {
                data.deleteTree(entry.name());
            }
            Files.deleteIfExists(directory(name).resolve(COPYING));
        } catch (IOException e) {
            LOG.warn("half a copy in volume {} was not removed; the next start of the engine tries again: {}", name,
                    e.getMessage());
        }
    }

    /// Copies all of `name` into the new volume `next`, which does not appear before it is whole.
    public void clone(String name, String next, Limit limit) throws EngineException {
        fill(next, "cannot clone the volume " + name + " to " + next, limit, target -> {
            try (var source = FileTree.open(data(name)); var from = source.directory("/")) {
                TreeCopy.into(from, target);
            }
        });
    }

    /// Unpacks a tar into the new volume `name`, which does not appear before it is whole. Ends when it is abandoned.
    public void unpack(String name, SentTar archive, Limit limit) throws EngineException {
        fill(name, "cannot import the volume " + name, limit, target ->
                PlainTar.read(archive, limit::check, tar -> new TreeUnpacker(target, "/", Unpacking.PLAIN).all(tar)));
    }

    private interface Filling {
        void fill(FileTree target) throws IOException, EngineException;
    }

    private void fill(String name, String doing, Limit limit, Filling filling) throws EngineException {
        Path draft = trash.resolve("draft-" + ProcessHandle.current().pid() + "-" + System.nanoTime());
        boolean done = false;
        try {
            failpoints.pass("volume.fill");
            Files.createDirectory(draft, CLOSED);
            limit.place(draft);
            try (var parent = FileTree.open(draft)) {
                parent.mkdirs(DATA, 0755, 0, 0).close();
            }
            try (var target = FileTree.open(draft.resolve(DATA))) {
                filling.fill(target);
                try (var data = target.open("/", Linux.O_RDONLY | Linux.O_DIRECTORY, 0)) {
                    FdStream.syncFilesystem(data);
                }
            }
            limit.check();
            failpoints.pass("volume.filled");
            remove(name); // the empty directory that held its place
            Files.move(draft, directory(name), StandardCopyOption.ATOMIC_MOVE);
            done = true;
        } catch (EngineException | IOException e) {
            throw failed(doing, e, limit);
        } finally {
            if (!done && Files.exists(draft)) {
                deleteLater(draft);
            }
        }
    }

    /// Writes all of `name` as a tar; names begin with `./`.
    public void pack(String name, OutputStream out) throws EngineException, IOException {
        try (var tree = FileTree.open(data(name)); var directory = tree.directory("/")) {
            var tar = new TarWriter(out);
            new TreePacker(tar).directory(directory, ".");
            tar.finish();
        } catch (KernelException e) {
            throw Trouble.of("cannot export the volume " + name, e);
        }
    }

    /// The bytes of all files in `name`, each inode once.
    public long sizeBytes(String name) throws EngineException {
        try (var tree = FileTree.open(data(name)); var directory = tree.directory("/")) {
            return TreeBytes.of(directory);
        } catch (KernelException e) {
            throw Trouble.of("cannot count the bytes of volume " + name, e);
        }
    }

    /// What is mounted in the end has to find the directory where it was.
    private void refusePending(String what, String name) throws EngineException.Conflict {
        if (mounts.isPending(name)) {
            throw new EngineException.Conflict(what + " " + name + ": it is still being mounted, and its server has not"
                    + " answered; try again when it has, or when the kernel has given up");
        }
    }

    /// Mounts the filesystem that `options` name onto the volume, unless it is mounted already.
    /// @throws EngineException.Unavailable its server has not answered for a minute
    public void mount(String name, DriverOptions options) throws EngineException {
        if (!options.needsMount() || isMounted(name)) {
            return;
        }
        Path data = data(name);
        String sentence = "error while mounting volume '" + data + "': ";
        if (options.device().isEmpty()) {
            throw new EngineException.Invalid(sentence + "missing device in volume options");
        }
        String slow = sentence + "failed to mount local volume: mount " + options.device() + ":" + data
                + (options.options().isEmpty() ? "" : ", data: " + options.options()) + ": ";
        mounts.mount(name, slow, new PatientMounts.Attempt() {
            @Override
            public boolean mount() throws EngineException {
                if (mounted().contains(name)) {
                    return false;
                }
                mountNow(name, options, sentence);
                return true;
            }

            @Override
            public void unmount() throws EngineException {
                VolumeDirectories.this.unmount(name);
            }
        });
    }

    private void mountNow(String name, DriverOptions options, String sentence) throws EngineException {
        Path data = data(name);
        DriverOptions.Call call;
        try {
            failpoints.pass("volume.mount");
            call = options.call();
        } catch (IOException e) {
            throw new EngineException.Unavailable(sentence + "error resolving passed in network volume address: "
                    + e.getMessage(), e);
        }
        try {
            Mounts.mount(options.device(), data, options.type(), call.flags(), call.data());
        } catch (KernelException e) {
            throw new EngineException.Internal(sentence + "failed to mount local volume: mount " + options.device()
                    + ":" + data + ", flags: 0x" + Long.toHexString(call.flags())
                    + (call.data().isEmpty() ? "" : ", data: " + call.data()) + ": " + e.reason(), e);
        }
        try {
            long more = call.flags() & ~(Linux.MS_BIND | Linux.MS_REC);
            if ((call.flags() & Linux.MS_BIND) != 0 && more != 0) {
                Mounts.mount("", data, "", call.flags() | Linux.MS_REMOUNT, "");
            }
            Mounts.mount("", data, "", call.propagation() == 0 ? Linux.MS_PRIVATE : call.propagation(), "");
            failpoints.pass("volume.mounted");
        } catch (IOException e) {
            unmount(name);
            throw Trouble.of(sentence + "failed to mount local volume", e);
        }
    }

    /// Takes off what is mounted on the volume, if anything is.
    public void unmount(String name) throws EngineException {
        while (mounted().contains(name)) {
            try {
                Mounts.detach(data(name));
            } catch (KernelException e) {
                throw Trouble.of("cannot unmount the volume " + name, e);
            }
        }
    }

    /// Whether something is mounted on the volume, and stays.
    public boolean isMounted(String name) throws EngineException {
        return !mounts.isPending(name) && mounted().contains(name);
    }

    /// The names of all volumes on which something is mounted.
    public Set<String> mounted() throws EngineException {
        var names = new HashSet<String>();
        try {
            Path real = root.toRealPath();
            for (var entry : List.copyOf(Mounts.list())) {
                Path target = Path.of(entry.target());
                if (target.getNameCount() == real.getNameCount() + 2 && target.startsWith(real)
                        && target.endsWith(DATA)) {
                    names.add(String.valueOf(target.getName(real.getNameCount())));
                }
            }
        } catch (IOException e) {
            throw Trouble.of("cannot look for mounted volumes", e);
        }
        return names;
    }
}
