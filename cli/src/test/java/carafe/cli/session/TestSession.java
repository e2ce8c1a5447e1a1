package carafe.cli.session;

import carafe.spec.build.FileStamp;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/// A caller in memory: his words, files, terminal and signals, and what he got to read.
public final class TestSession implements Files, Terminal, Signals, Programs, Caller {

    public final Map<String, String> environment = new TreeMap<>(Map.of("HOME", "/home/user"));
    public final Map<Path, byte[]> files = new HashMap<>();
    /// Stamps of files and directories; what is not in it is told by its size alone.
    public final Map<Path, FileStamp> stamps = new HashMap<>();
    public final Map<Path, byte[]> capabilities = new HashMap<>();
    public final ByteArrayOutputStream out = new ByteArrayOutputStream();
    public final ByteArrayOutputStream err = new ByteArrayOutputStream();
    public final List<String> rawMode = new CopyOnWriteArrayList<>();
    public final List<Consumer<String>> handlers = new CopyOnWriteArrayList<>();
    /// Directories that cannot be listed.
    public final Set<Path> unreadable = new HashSet<>();
    /// Files that have other names.
    public final Set<Path> linked = new HashSet<>();
    /// What happens when a file is opened, before it is.
    public Consumer<Path> opened = _ -> { };
    public InputStream in = new ByteArrayInputStream(new byte[0]);
    public boolean terminal;
    /// Who calls; empty where that cannot be found out.
    public Optional<Ids> ids = Optional.of(new Ids(1000, 1000));

    /// What programs answer, one after the other, and how they were run.
    public final List<Outcome> programs = new ArrayList<>();

    public final List<String> ran = new ArrayList<>();

    public Session session(String... words) {
        return new Session(List.of(words), environment, Path.of("/home/user"), in, out, err, this, this, this, this,
                this, Clock.fixed(Instant.parse("2025-12-05T12:00:00Z"), ZoneOffset.UTC));
    }

    public void file(String name, String content) {
        files.put(Path.of("/home/user").resolve(name), content.getBytes(StandardCharsets.UTF_8));
    }

    public String output() {
        return out.toString(StandardCharsets.UTF_8);
    }

    public String errors() {
        return err.toString(StandardCharsets.UTF_8);
    }

    @Override
    public InputStream read(Path file) throws IOException {
        opened.accept(file);
        byte[] content = files.get(file);
        if (content == null) {
            throw new FileNotFoundException("open " + file + ": no such file or directory");
        }
        return new ByteArrayInputStream(content);
    }

    @Override
    public OutputStream create(Path file) {
        return new ByteArrayOutputStream() {
            @Override
            public void close() {
                files.put(file, toByteArray());
            }
        };
    }

    @Override
    public OutputStream overwrite(Path file) {
        return create(file);
    }

    @Override
    public boolean isSpecial(Path file) {
        return false;
    }

    @Override
    public void replacePrivately(Path file, byte[] content) {
        files.put(file, content);
    }

    @Override
    public Outcome run(List<String> command, String input) throws IOException {
        ran.add(String.join(" ", command) + " < " + input);
        if (programs.isEmpty()) {
            throw new IOException(command.getFirst() + ": executable file not found in $PATH");
        }
        return programs.removeFirst();
    }

    @Override
    public Outcome ask(List<String> command, Map<String, String> variables, boolean asks) throws IOException {
        return run(command, variables + (asks ? " at the terminal" : ""));
    }

    @Override
    public Beside start(List<String> command) throws IOException {
        run(command, "");
        return () -> ran.add("end of " + command.getFirst());
    }

    @Override
    public void rename(Path file, Path other) {
        files.put(other, Objects.requireNonNull(files.remove(file)));
    }

    @Override
    public boolean exists(Path file) {
        return files.containsKey(file);
    }

    @Override
    public boolean isDirectory(Path file) {
        return files.keySet().stream().anyMatch(path -> path.startsWith(file) && !path.equals(file));
    }

    @Override
    public List<FileEntry> list(Path directory) throws IOException {
        if (unreadable.contains(directory)) {
            throw new IOException("open " + directory + ": permission denied");
        }
        var entries = new ArrayList<FileEntry>();
        files.keySet().stream().filter(path -> path.startsWith(directory) && path.getNameCount() > directory.getNameCount() + 1)
                .map(path -> path.getName(directory.getNameCount()).toString()).distinct().forEach(name ->
                        entries.add(new FileEntry(name, FileEntry.Kind.DIRECTORY, 0755, 0, 0, "")));
        files.forEach((path, content) -> {
            if (directory.equals(path.getParent())) {
                entries.add(new FileEntry(path.getFileName().toString(), FileEntry.Kind.FILE, 0644, content.length, 0, "",
                        stamp(path), linked.contains(path)));
            }
        });
        return entries;
    }

    @Override
    public List<byte[]> capabilities(Path directory, List<String> names) {
        return names.stream().map(name -> capabilities.getOrDefault(directory.resolve(name), new byte[0])).toList();
    }

    @Override
    public FileStamp stamp(Path file) {
        byte[] content = files.get(file);
        return stamps.getOrDefault(file.normalize(), content == null ? FileStamp.NONE
                : new FileStamp(1, file.hashCode(), content.length, 1, 1));
    }

    @Override
    public void remove(Path file) {
        files.remove(file);
    }

    @Override
    public boolean isTerminal(int stream) {
        return terminal;
    }

    @Override
    public Optional<Size> size() {
        return terminal ? Optional.of(new Size(30, 100)) : Optional.empty();
    }

    @Override
    public Ids ids() throws IOException {
        return ids.orElseThrow(() -> new IOException("/proc: no such file or directory"));
    }

    @Override
    public Raw raw() {
        rawMode.add("raw");
        return () -> rawMode.add("restored");
    }

    @Override
    public Registration on(List<String> names, Consumer<String> handler) {
        handlers.add(handler);
        var registered = new ArrayList<>(List.of(handler));
        return () -> handlers.removeAll(registered);
    }
}
