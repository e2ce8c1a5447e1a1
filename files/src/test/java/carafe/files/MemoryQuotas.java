package carafe.files;

import carafe.spec.EngineException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/// Quotas without a file system that has them: counts what lies below the directories it was given, and refuses nobody
/// who writes. Files that are moved out of their directory are forgotten, as by deletion; a directory that is moved
/// is not. It knows no limit before [#enforce].
public final class MemoryQuotas implements DirectoryQuotas {

    private static final String ADVICE = "this test has not switched them on";

    private final Map<Object, Integer> directories = new HashMap<>();
    private final Map<Integer, Long> limits = new HashMap<>();
    private boolean enforced;

    /// From now on there are quotas.
    public synchronized void enforce() {
        enforced = true;
    }

    /// From now on there are none, as after a mount without them.
    public synchronized void forgo() {
        enforced = false;
    }

    /// All limits that are set, by project.
    public synchronized Map<Integer, Long> limits() {
        return Map.copyOf(limits);
    }

    @Override
    public synchronized boolean enforced() {
        return enforced;
    }

    @Override
    public String advice() {
        return ADVICE;
    }

    @Override
    public synchronized Usage usage(int project) throws EngineException {
        demand();
        long bytes = 0;
        long files = 0;
        for (var entry : Map.copyOf(directories).entrySet()) {
            if (entry.getValue() == project) {
                Path place = ((Place) entry.getKey()).now();
                if (Files.isDirectory(place)) {
                    try (var found = Files.walk(place)) {
                        for (var file : found.toList()) {
                            files++;
                            bytes += Files.isRegularFile(file) ? Files.size(file) : 0;
                        }
                    } catch (IOException e) {
                        throw new EngineException.Internal("cannot count " + place + ": " + e.getMessage(), e);
                    }
                }
            }
        }
        return new Usage(bytes, files, limits.getOrDefault(project, 0L));
    }

    /// A directory by its inode, so that it is known by another name, too.
    private record Place(Object key, Path known) {
        Path now() {
            try {
                if (key.equals(fileKey(known))) {
                    return known;
                }
                try (var siblings = Files.list(known.getParent())) {
                    for (var sibling : siblings.toList()) {
                        if (key.equals(fileKey(sibling))) {
                            return sibling;
                        }
                    }
                }
            } catch (IOException e) {
                return known;
            }
            return Path.of("/nonexistent");
        }

        private static Object fileKey(Path path) throws IOException {
            return Files.exists(path) // an inode's number alone is used again
                    ? Files.getAttribute(path, "unix:ino") + " of " + Files.getAttribute(path, "basic:creationTime")
                    : "none";
        }

        static Place of(Path path) throws EngineException {
            try {
                return new Place(fileKey(path), path);
            } catch (IOException e) {
                throw new EngineException.Internal("cannot look at " + path + ": " + e.getMessage(), e);
            }
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Place(var theirs, var _) && key.equals(theirs);
        }

        @Override
        public int hashCode() {
            return key.hashCode();
        }
    }

    @Override
    public synchronized void limit(int project, long bytes) throws EngineException {
        demand();
        limits.put(project, (bytes + 1023) / 1024 * 1024);
        limits.values().removeIf(limit -> limit == 0);
    }

    @Override
    public synchronized int project(Path directory) throws EngineException {
        return directories.getOrDefault(Place.of(directory), 0);
    }

    @Override
    public synchronized void assign(Path directory, int project) throws EngineException {
        demand();
        var place = Place.of(directory);
        directories.remove(place);
        directories.put(place, project);
    }

    private void demand() throws EngineException {
        if (!enforced) {
            throw new EngineException.Internal("there are no quotas: " + ADVICE);
        }
    }
}
