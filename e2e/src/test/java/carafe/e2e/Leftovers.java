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
import java.util.stream.Stream;

/// What an engine has left on the host although it is gone: mounts, processes, cgroups. They are known by the engine's
/// directory and by its containers' ids, so that other engines on the same host do not disturb.
final class Leftovers {

    private Leftovers() {}

    /// One line for each thing that is left.
    static List<String> of(Path directory, Collection<String> containers) throws IOException {
        var found = new ArrayList<String>();
        mountsBelow(directory).forEach(mount -> found.add("mount " + mount));
        processesOf(directory).forEach(process -> found.add("process " + process));
        cgroupsOf(containers).forEach(cgroup -> found.add("cgroup " + cgroup));
        linksOf(directory).forEach(link -> found.add("link " + link));
        return found;
    }

    /// Ends and removes by force whatever is left, so that a failed test does not disturb the next.
    static void clear(Path directory, Collection<String> containers) throws Exception {
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
        for (String link : linksOf(directory)) {
            Command.of("ip", "link", "delete", link).run();
        }
        for (String mount : mountsBelow(directory).toList().reversed()) {
            Command.of("umount", "--lazy", mount).run();
        }
        Command.of("rm", "-rf", "--one-file-system", directory.toString()).run().good();
    }

    /// Bridges whose remark names the directory, and the links that carry the same engine's mark.
    private static List<String> linksOf(Path directory) throws IOException {
        var found = new ArrayList<String>();
        var marks = new ArrayList<String>();
        try (var links = Files.list(Path.of("/sys/class/net"))) {
            var all = links.toList();
            for (Path link : all) {
                String remark = remark(link);
                if (remark.startsWith("carafe ") && remark.contains(" " + directory + "/")) {
                    found.add(link.getFileName().toString());
                    marks.add("veth" + remark.split(" ")[1].substring(0, 5));
                }
            }
            all.stream().map(link -> link.getFileName().toString())
                    .filter(name -> marks.stream().anyMatch(name::startsWith)).forEach(found::add);
        }
        return found;
    }

    private static String remark(Path link) {
        try {
            return Files.readString(link.resolve("ifalias")).strip();
        } catch (IOException _) {
            return ""; // gone while we looked, or no link but a file that drivers put there
        }
    }

    private static Stream<String> mountsBelow(Path directory) throws IOException {
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
