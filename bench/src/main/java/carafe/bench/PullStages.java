package carafe.bench;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;

/// The stages of a pull, each alone with all processors and with what it works on in memory: the pull cannot be faster
/// than the slowest of them.
final class PullStages implements AutoCloseable {

    private static final Pattern LAYER = Pattern.compile("gzip\"[^}]*?\"digest\":\"(sha256:[0-9a-f]{64})\"");

    /// Where a package's libraries are, below [#isal].
    static final String LIBRARIES = "usr/lib/x86_64-linux-gnu";

    private final String repository;
    private final List<String> layers = new ArrayList<>();
    private final Path directory = Files.createTempDirectory("bench-stages");
    private List<byte[]> blobs = List.of();
    private List<byte[]> tars = List.of();

    /// Of the image `tag` in `repository`, an URL up to and with the repository's name.
    PullStages(String repository, String tag) throws IOException {
        this.repository = repository;
        String manifest = new String(get("/manifests/" + tag), StandardCharsets.UTF_8).replaceAll("\\s", "");
        var found = LAYER.matcher(manifest);
        while (found.find()) {
            layers.add(found.group(1));
        }
        if (layers.isEmpty()) {
            throw new IOException("no layers of gzip in " + manifest);
        }
    }

    private byte[] get(String path) throws IOException {
        var connection = (HttpURLConnection) URI.create(repository + path).toURL().openConnection();
        connection.setRequestProperty("Accept", "application/vnd.oci.image.manifest.v1+json, "
                + "application/vnd.docker.distribution.manifest.v2+json");
        try (var in = connection.getInputStream()) {
            return in.readAllBytes();
        }
    }

    /// Gets all blobs, as many at once as an engine does.
    void fetch() throws Exception {
        blobs = all(3, layers.stream().<Callable<byte[]>>map(layer -> () -> get("/blobs/" + layer)).toList());
    }

    void inflate() throws Exception {
        tars = all(processors(), blobs.stream().<Callable<byte[]>>map(blob -> () -> {
            try (var in = new GZIPInputStream(new ByteArrayInputStream(blob), 1 << 17)) {
                return in.readAllBytes();
            }
        }).toList());
    }

    /// Debian's packages of libisal, unpacked.
    static Path isal() {
        return Path.of(System.getProperty("carafe.bench.isal"));
    }

    /// Puts the blobs into files, for a program to read.
    void spread() throws IOException {
        for (int i = 0; i < blobs.size(); i++) {
            Files.write(directory.resolve("blob" + i + ".gz"), blobs.get(i));
        }
    }

    /// By libisal's own program, a process for each blob.
    void inflateByIsal() throws Exception {
        var tasks = new ArrayList<Callable<Integer>>();
        for (int i = 0; i < blobs.size(); i++) {
            var program = new ProcessBuilder(isal().resolve("usr/bin/igzip").toString(), "-d", "-c",
                    directory.resolve("blob" + i + ".gz").toString())
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.INHERIT);
            program.environment().put("LD_LIBRARY_PATH", isal().resolve(LIBRARIES).toString());
            tasks.add(() -> program.start().waitFor());
        }
        for (int status : all(processors(), tasks)) {
            if (status != 0) {
                throw new IOException("igzip ended with " + status);
            }
        }
    }

    /// Every blob, and every tar.
    void hash() throws Exception {
        var both = new ArrayList<>(tars);
        both.addAll(blobs);
        all(processors(), both.stream().<Callable<byte[]>>map(bytes -> () ->
                MessageDigest.getInstance("SHA-256").digest(bytes)).toList());
    }

    /// A file for each layer, synced.
    void write() throws Exception {
        var tasks = new ArrayList<Callable<Path>>();
        for (int i = 0; i < tars.size(); i++) {
            Path file = directory.resolve("layer" + i);
            byte[] tar = tars.get(i);
            tasks.add(() -> {
                try (var out = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                    for (var left = ByteBuffer.wrap(tar); left.hasRemaining(); ) {
                        out.write(left);
                    }
                    out.force(true);
                }
                return file;
            });
        }
        all(tasks.size(), tasks);
    }

    private static int processors() {
        return Runtime.getRuntime().availableProcessors();
    }

    private static <T> List<T> all(int threads, List<Callable<T>> tasks) throws Exception {
        try (var pool = Executors.newFixedThreadPool(threads)) {
            var done = new ArrayList<T>();
            for (var future : pool.invokeAll(tasks)) {
                done.add(future.get());
            }
            return done;
        }
    }

    @Override
    public void close() {
        Output.remove(directory);
    }
}
