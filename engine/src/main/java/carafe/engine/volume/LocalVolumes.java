package carafe.engine.volume;

import carafe.engine.store.Change;
import carafe.files.VolumeDirectories;
import carafe.spec.EngineException;
import carafe.spec.docker.Filters;
import carafe.spec.tar.SentTar;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The door to volumes over the [VolumeBook].
public final class LocalVolumes implements Volumes {
    private final VolumeBook book;

    /// The volumes that `book` knows.
    public LocalVolumes(VolumeBook book) {
        this.book = book;
    }

    @Override
    public Volume create(VolumeRequest request) throws EngineException {
        boolean unnamed = request.name().isEmpty();
        var labels = new java.util.TreeMap<>(request.labels());
        if (unnamed) {
            labels.putIfAbsent(Volume.ANONYMOUS, "");
        }
        String name = unnamed ? book.freshName() : request.name();
        return book.make(new VolumeRequest(name, request.driver(), request.options(), labels), Optional.empty(), this::write)
                .entry().volume;
    }

    private void write(VolumeEntry entry) throws EngineException {
        book.database().write(new Change.PutVolume(entry.volume.row()));
    }

    @Override
    public Volume inspect(String name) throws EngineException {
        return book.find(name).volume;
    }

    @Override
    public List<Volume> list(Filters filters) throws EngineException {
        filters.allowOnly(Set.of("dangling", "driver", "label", "name"));
        boolean asksDangling = !filters.of("dangling").isEmpty();
        boolean dangling = filters.truth("dangling", false);
        var named = filters.finding("name");
        var found = new ArrayList<Volume>();
        for (var entry : book.all()) {
            var volume = entry.volume;
            if (entry.made && !entry.gone && named.test(volume.name())
                    && (!asksDangling || dangling == entry.users.isEmpty())
                    && (filters.of("driver").isEmpty() || filters.of("driver").contains(Volume.DRIVER))
                    && filters.allowsLabels("label", volume.labels())) {
                found.add(volume);
            }
        }
        found.sort(Comparator.comparing(Volume::name));
        return found;
    }

    @Override
    public void remove(String name, boolean force) throws EngineException {
        try {
            book.remove(book.find(name));
        } catch (EngineException.NotFound e) {
            if (!force) {
                throw e;
            }
        }
    }

    @Override
    public Removed prune(Filters filters) throws EngineException {
        filters.allowOnly(Set.of("all", "label", "label!"));
        book.home().demand("prune");
        boolean all = filters.truth("all", false);
        var names = new ArrayList<String>();
        long bytes = 0;
        for (var entry : List.copyOf(book.all())) {
            var labels = entry.volume.labels();
            boolean goes = entry.made && entry.users.isEmpty()
                    && (all || entry.volume.isAnonymous())
                    && filters.allowsLabels("label", labels)
                    && (filters.of("label!").isEmpty() || !filters.allowsLabels("label!", labels));
            if (!goes) {
                continue;
            }
            try {
                long size = size(entry);
                book.remove(entry);
                names.add(entry.volume.name());
                bytes += Math.max(0, size);
            } catch (EngineException.Conflict | EngineException.NotFound e) {
                continue; // somebody took or removed it meanwhile
            }
        }
        return new Removed(names, bytes);
    }

    @Override
    public List<VolumeUsage> usage() throws EngineException {
        var usages = new ArrayList<VolumeUsage>();
        for (var volume : list(Filters.NONE)) {
            try {
                var entry = book.find(volume.name());
                usages.add(new VolumeUsage(volume, entry.users.size(), size(entry)));
            } catch (EngineException.NotFound e) {
                continue; // removed meanwhile
            }
        }
        return usages;
    }

    /// Another's filesystem is not ours to count: it may be large, slow or gone. -1 where nobody knows.
    private long size(VolumeEntry entry) throws EngineException {
        boolean elsewhere = entry.volume.driverOptions().needsMount() || book.fault().isPresent();
        return elsewhere ? -1 : book.directories().sizeBytes(entry.volume.name());
    }

    @Override
    public void rename(String name, String next) throws EngineException {
        VolumeBook.checkName(next);
        if (VolumeBook.looksGiven(next)) { // a death in the middle would leave it as one that nobody named, to be removed
            throw new EngineException.Invalid("rename " + name + ": names of 64 hexadecimal digits are those of volumes that"
                    + " nobody named; choose another");
        }
        var entry = book.find(name);
        entry.work.lock();
        try {
            if (entry.gone) {
                throw new EngineException.NotFound("get " + name + ": no such volume");
            }
            VolumeBook.refuseUsed("rename", entry);
            book.rename(entry, next);
        } finally {
            entry.work.unlock();
        }
    }

    @Override
    public Volume duplicate(String name, String next) throws EngineException {
        var entry = book.find(name);
        refuseElsewhere("clone", entry);
        var old = entry.volume;
        return fresh("clone", new VolumeRequest(next, "", old.options(), old.labelsOfNamed()),
                limit -> book.directories().clone(name, next, limit));
    }

    @Override
    public void pack(String name, OutputStream out) throws EngineException, IOException {
        book.home().demand("export " + name);
        refuseElsewhere("export", book.find(name));
        book.directories().pack(name, out);
    }

    @Override
    public Volume unpack(String name, Map<String, String> options, SentTar archive) throws EngineException {
        if (options.containsKey("type") || options.containsKey("device")) {
            throw new EngineException.Invalid(
                    "import " + name + ": an archive is unpacked to a directory; of the options only size is for one");
        }
        return fresh("import", new VolumeRequest(name, "", options, Map.of()),
                limit -> book.directories().unpack(name, archive, limit));
    }

    private static void refuseElsewhere(String what, VolumeEntry entry) throws EngineException {
        if (entry.volume.driverOptions().needsMount() && entry.live.isEmpty()) {
            throw new EngineException.Conflict(what + " " + entry.volume.name() + ": its files lie in a filesystem that"
                    + " is mounted only while a container runs with it; start one first");
        }
    }

    private interface Content {
        void make(VolumeDirectories.Limit limit) throws EngineException;
    }

    /// Makes a volume that must be new: its content takes the place of the empty directory.
    private Volume fresh(String what, VolumeRequest request, Content content) throws EngineException {
        var made = book.make(request, Optional.empty(), entry -> {
            if (entry.found && !book.directories().isEmpty(request.name())) {
                throw new EngineException.Conflict(what + " " + request.name() + ": " + entry.volume.mountpoint()
                        + " is there already and holds files; move it away, or choose another name");
            }
            content.make(SizedVolume.of(book.limits(), entry.volume));
            write(entry);
        });
        if (!made.now()) {
            throw new EngineException.Conflict(
                    what + " " + request.name() + ": a volume of this name exists already");
        }
        return made.entry().volume;
    }
}
