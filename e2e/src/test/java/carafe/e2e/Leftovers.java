package carafe.e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/// What an engine has left on the host although it is gone: mounts, processes, cgroups. They are known by the engine's
/// directory and by its containers' ids, so that other engines on the same host do not disturb.
final class Leftovers {

    private Leftovers() {}

    /// One line for each thing that is left; `marks` are what [#marks] said while the engine ran.
    static List<String> of(Path directory, Collection<String> containers, Set<String> marks) throws IOException {
        var found = new ArrayList<String>();
        mountsBelow(directory).forEach(mount -> found.add("mount " + mount));
        processesOf(directory).forEach(process -> found.add("process " + process));
        cgroupsOf(containers).forEach(cgroup -> found.add("cgroup " + cgroup));
        linksOf(directory, marks).forEach(link -> found.add("link " + link));
        return found;
    }

    /// Ends and removes by force whatever is left, so that a failed test does not disturb the next.
    static void clear(Path directory, Collection<String> containers, Set<String> marks) throws Exception {
        List<Path> cgroups = cgroupsOf(containers);
        Deadline.await("processes of " + directory + " are gone", () -> {
            var pids = new ArrayList<>(processesOf(directory).toList());
            for (Path cgroup : cgroups) {
                pids.addAll(membersOf(cgroup));
            }
            pids.forEach(pid -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly));
            return pids.isEmpty();
        });
        for (Path cgroup : cgroups.reversed()) {
            Files.deleteIfExists(cgroup);
        }
        for (String link : linksOf(directory, marks)) {
            Command.of("ip", "link", "delete", link).run();
        }
        for (String mount : mountsBelow(directory).toList().reversed()) {
            Command.of("umount", "--lazy", mount).run();
        }
        Command.of("rm", "-rf", "--one-file-system", directory.toString()).run().good();
    }

    /// How the engine's links on the host that are ends of containers' begin: told by its bridges, which it takes away when
    /// it stops.
    static Set<String> marks(Path directory) throws IOException {
        var marks = new TreeSet<String>();
        for (Path link : links()) {
            String remark = remark(link);
            if (isOf(remark, directory)) {
                marks.add("veth" + remark.split(" ")[1].substring(0, 5));
            }
        }
        return marks;
    }

    private static boolean isOf(String remark, Path directory) {
        return remark.startsWith("carafe ") && remark.contains(" " + directory + "/");
    }

    private static List<Path> links() throws IOException {
        try (var links = Files.list(Path.of("/sys/class/net"))) {
            return links.toList();
        }
    }

    /// Links whose remark names the directory, and those that carry the same engine's mark.
    private static List<String> linksOf(Path directory, Set<String> marks) throws IOException {
        var known = new TreeSet<>(marks);
        known.addAll(marks(directory));
        var found = new ArrayList<String>();
        for (Path link : links()) {
            String name = link.getFileName().toString();
            if (isOf(remark(link), directory) || known.stream().anyMatch(name::startsWith)) {
                found.add(name);
            }
        }
        return found;
    }

    /// The links of an engine that runs, but those that lie ready for the next container: down, and in no bridge.
    static List<String> linksInUse(Path directory) throws IOException {
        var used = new ArrayList<String>();
        for (String name : linksOf(directory, Set.of())) {
            Path link = Path.of("/sys/class/net", name);
            if (!name.startsWith("veth") || Files.exists(link.resolve("master")) || isUp(link)) {
                used.add(name);
            }
        }
        return used;
    }

    private static boolean isUp(Path link) {
        try {
            return (Integer.decode(Files.readString(link.resolve("flags")).strip()) & 1) != 0; // IFF_UP
        } catch (IOException _) {
            return false; // gone while we looked
        }
    }

    private static String remark(Path link) {
        try {
            return Files.readString(link.resolve("ifalias")).strip();
        } catch (IOException _) {
            return ""; // gone while we looked, or no link but a file that drivers put there
        }
    }

    /// What is mounted in the directory or below it, outer mounts first.
    static Stream<String> mountsBelow(Path directory) throws IOException {
        return Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
                .map(line -> line.split(" ")[4])
                .filter(mount -> Path.of(mount).startsWith(directory));
    }

    /// Processes that name the directory in their arguments or hold a file below it.
    private static Stream<Long> processesOf(Path directory) {
        return ProcessHandle.allProcesses()
                .map(ProcessHandle::pid)
                .filter(pid -> pid != ProcessHandle.current().pid())
                .filter(pid -> belongsTo(Path.of("/proc", pid.toString()), directory));
    }

    private static boolean belongsTo(Path process, Path directory) {
        try {
            String arguments = new String(Files.readAllBytes(process.resolve("cmdline")), StandardCharsets.UTF_8);
            if (arguments.contains(directory.toString())) {
                return true;
            }
            try (var descriptors = Files.list(process.resolve("fd"))) {
                return Stream.concat(descriptors, Stream.of(process.resolve("cwd"), process.resolve("root")))
                        .anyMatch(link -> pointsBelow(link, directory));
            }
        } catch (IOException | UncheckedIOException _) {
            return false; // it has ended meanwhile
        }
    }

    private static boolean pointsBelow(Path link, Path directory) {
        try {
            return Files.readSymbolicLink(link).startsWith(directory);
        } catch (IOException _) {
            return false;
        }
    }

    private static List<Long> membersOf(Path cgroup) {
        try {
            return Files.readAllLines(cgroup.resolve("cgroup.procs")).stream().map(Long::valueOf).toList();
        } catch (IOException _) {
            return List.of(); // it has gone meanwhile
        }
    }

    /// Parents come before their children.
    private static List<Path> cgroupsOf(Collection<String> containers) throws IOException {
        var found = new ArrayList<Path>();
        Files.walkFileTree(Path.of("/sys/fs/cgroup"), new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path cgroup, BasicFileAttributes attributes) {
                if (containers.stream().anyMatch(cgroup.toString()::contains)) {
                    found.add(cgroup);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
                return FileVisitResult.CONTINUE; // another engine's, gone while we looked
            }

            @Override
            public FileVisitResult postVisitDirectory(Path cgroup, IOException e) {
                return FileVisitResult.CONTINUE;
            }
        });
        return found;
    }
}
