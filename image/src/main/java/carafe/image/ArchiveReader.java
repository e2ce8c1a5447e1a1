package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import carafe.spec.tar.TarEntry;
import carafe.spec.tar.TarHeader;
import carafe.spec.tar.TarReader;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Reads an image archive once, front to back, without knowing yet which of its members are what: names and order
/// differ between the programs that write them. So each member is judged by its first bytes: a tar or a compressed file
/// is a layer and is unpacked at once, on a thread of its own; a JSON document is kept; a blob that is neither, or that
/// an artifact's manifest before it names, goes to the store of blobs; anything else is skipped.
///
/// One reader per archive. Memory: 64 MiB of documents, and of layers on their way what the budget has, which all readers
/// share.
final class ArchiveReader {

    private static final int MAX_DOCUMENT_BYTES = 8 << 20;
    private static final int MAX_DOCUMENTS_BYTES = 64 << 20;
    private static final int MAX_MEMBERS = 100_000;
    private static final int BUDGET_CHUNKS = (64 << 20) / ChunkPipe.CHUNK_BYTES;
    private static final Pattern HEX = Pattern.compile("(?:^|/)([0-9a-f]{64})(?:\\.tar|/layer\\.tar)?$");
    private static final int UNPACKERS = Math.clamp(Runtime.getRuntime().availableProcessors(), 2, 8);

    /// Says which layer a blob of this name is, when it is here already.
    @FunctionalInterface
    interface KnownLayers {
        Optional<Digest> diffIdOf(Digest nameOfBlob) throws IOException;
    }

    private final LayerStore layers;
    private final KnownLayers knownLayers;
    private final LayerProgress progress;
    private final ArchiveBlobs blobs;
    private final Map<String, byte[]> documents = new HashMap<>();
    private final Map<String, ArchiveContents.Layer> known = new HashMap<>();
    private final List<ChunkPipe> pipes = new ArrayList<>();
    private final Map<String, String> links = new HashMap<>();
    private final Map<String, Future<LayerStore.Staged>> unpacking = new HashMap<>();
    private final List<Future<LayerStore.Staged>> started = new ArrayList<>();
    private final ExecutorService workers = Executors.newFixedThreadPool(UNPACKERS,
            Thread.ofPlatform().name("image-unpack-", 0).daemon().factory()); // starts none before the first layer
    private final Semaphore budget;
    private final Queue<byte[]> spare = new ConcurrentLinkedQueue<>(); // no more than the budget has chunks
    private @Nullable ChunkPipe reading;
    private int documentBytes;

    /// Owns `blobs` until [#read] gives them to what it answers.
    ArchiveReader(LayerStore layers, Semaphore budget, KnownLayers knownLayers, LoadProgress progress,
            ArchiveBlobs blobs) {
        this.blobs = blobs;
        this.budget = budget;
        this.layers = layers;
        this.knownLayers = knownLayers;
        this.progress = new LayerProgress(progress);
    }

    /// Room for 64 MiB of layers on their way, to be shared by all readers of a process.
    static Semaphore budget() {
        return new Semaphore(BUDGET_CHUNKS);
    }

    /// Reads `archive` to its end.
    /// @throws EngineException.Invalid the bytes are at fault
    /// @throws IOException the disk's or the source's own
    ArchiveContents read(InputStream archive) throws IOException, EngineException.Invalid {
        boolean whole = false;
        try (var stream = LayerStream.ofArchive(archive)) {
            members(new TarReader(stream));
            stream.drain();
            var contents = collect();
            whole = true;
            return contents;
        } catch (LayerStream.Broken e) {
            throw LayerStream.invalid(e);
        } catch (EOFException e) {
            throw new EngineException.Invalid("unexpected EOF");
        } finally {
            if (reading != null) {
                reading.fail(new IOException("the archive could not be read"));
            }
            workers.close(); // every unpacker has all it will get
            pipes.forEach(ChunkPipe::close); // those whose unpacker never ran hold chunks of a budget of all
            drop(whole);
            if (!whole) {
                blobs.close();
            }
        }
    }

    private void members(TarReader tar) throws IOException, EngineException.Invalid {
        int count = 0;
        for (var entry = tar.next(); entry != null; entry = tar.next()) {
            if (++count > MAX_MEMBERS) {
                throw new EngineException.Invalid("archive has more than " + MAX_MEMBERS + " members");
            }
            String name = normal("", entry.name());
            switch (entry.type()) {
                case FILE -> file(name, entry, tar);
                case SYMLINK -> links.put(name, normal(parent(name), entry.linkName()));
                case HARD_LINK -> links.put(name, normal("", entry.linkName()));
                case DIRECTORY, CHAR_DEVICE, BLOCK_DEVICE, FIFO -> { }
            }
        }
    }

    private void file(String name, TarEntry entry, TarReader tar) throws IOException, EngineException.Invalid {
        byte[] head = tar.data().readNBytes((int) Math.min(entry.size(), TarHeader.BLOCK));
        var blob = blobName(name);
        var digest = ArchiveBlobs.digest(name);
        if (digest.isPresent() && blobs.expects(digest.get())) {
            blobs.take(digest.get(), entry.size(), head, tar.data());
        } else if (isLayer(head) || head.length == 0 && (blob.isPresent() || name.endsWith(".tar"))) {
            Optional<Digest> here = blob.isPresent() ? knownLayers.diffIdOf(blob.get()) : Optional.empty();
            if (here.isPresent()) {
                var diffId = here.get();
                known.put(name,
                        new ArchiveContents.Layer(diffId, layers.sizes(diffId).tarBytes(), Optional.empty()));
                unpacking.remove(name);
                progress.known(blob.orElseThrow().shortHex(), entry.size());
            } else {
                var source = new Incoming(name, blob.map(Digest::shortHex).orElse(name), entry.size());
                unpack(source, head, tar);
            }
        } else if (isDocument(head) && entry.size() <= MAX_DOCUMENT_BYTES) {
            documentBytes += (int) entry.size();
            if (documentBytes > MAX_DOCUMENTS_BYTES) {
                throw new EngineException.Invalid("archive has more than " + MAX_DOCUMENTS_BYTES
                        + " bytes of documents");
            }
            byte[] document = join(head, tar.data().readAllBytes());
            documents.put(name, document);
            blobs.read(document);
        } else if (digest.isPresent()) {
            blobs.take(digest.get(), entry.size(), head, tar.data());
        }
    }

    /// A tar begins with a header whose checksum fits, an empty one with zeros.
    private static boolean isLayer(byte[] head) {
        return LayerStream.isCompressed(head)
                || head.length == TarHeader.BLOCK
                        && (TarHeader.fits(head) || Arrays.equals(head, new byte[head.length]));
    }

    private static boolean isDocument(byte[] head) {
        for (byte b : head) {
            if (b != ' ' && b != '\n' && b != '\r' && b != '\t') {
                return b == '{' || b == '[';
            }
        }
        return false;
    }

    private static Optional<Digest> blobName(String name) {
        var matcher = HEX.matcher(name);
        return matcher.find() ? Optional.of(new Digest(Digest.Algorithm.SHA256, matcher.group(1))) : Optional.empty();
    }

    /// A layer about to be unpacked: its member's name, what people are shown of it, its bytes.
    private record Incoming(String name, String shownName, long size) {}

    private void unpack(Incoming member, byte[] head, TarReader tar) throws IOException, EngineException.Invalid {
        var pipe = new ChunkPipe(budget, this::keep);
        reading = pipe;
        pipes.add(pipe);
        var source = progress.watch(pipe, member.shownName, member.size);
        var layer = workers.submit(() -> {
            try (source) {
                return layers.stage(source);
            }
        });
        started.add(layer);
        unpacking.put(member.name, layer);
        known.remove(member.name);
        byte[] chunk = head;
        boolean wanted = true;
        while (chunk.length > 0 && wanted) {
            wanted = pipe.put(chunk);
            chunk = chunk(tar);
        }
        pipe.end();
        reading = null;
        if (!wanted) { // the unpacker gave up: say why instead of reading on for nothing
            result(layer);
        }
    }

    /// What is too large for young memory and new for every quarter of a megabyte would make the heap grow to its end.
    private void keep(byte[] chunk) {
        if (chunk.length == ChunkPipe.CHUNK_BYTES) {
            spare.add(chunk);
        }
    }

    private byte[] chunk(TarReader tar) throws IOException {
        byte[] used = spare.poll();
        byte[] chunk = used == null ? new byte[ChunkPipe.CHUNK_BYTES] : used;
        int length = 0;
        while (length < chunk.length) {
            int count = tar.read(chunk, length, chunk.length - length);
            if (count < 0) {
                return Arrays.copyOf(chunk, length);
            }
            length += count;
        }
        return chunk;
    }

    private ArchiveContents collect() throws IOException, EngineException.Invalid {
        var staged = new HashMap<String, LayerStore.Staged>();
        for (var layer : unpacking.entrySet()) {
            staged.put(layer.getKey(), result(layer.getValue()));
        }
        var contents = new ArchiveContents(documents, staged, known, blobs, layers);
        for (var link : links.entrySet()) {
            contents.alias(link.getKey(), link.getValue());
        }
        return contents;
    }

    private static LayerStore.Staged result(Future<LayerStore.Staged> future)
            throws IOException, EngineException.Invalid {
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case EngineException.Invalid invalid -> throw invalid;
                case EOFException _ -> throw new EngineException.Invalid("unexpected EOF");
                case IOException failed -> throw failed;
                case Error error -> throw error;
                case null, default -> throw new AssertionError(e);
            }
        }
    }

    /// Drops what was unpacked for nothing: all of it, or only what a later member of the same name replaced.
    private void drop(boolean replacedOnly) throws IOException {
        for (var layer : started) {
            if (layer.state() == Future.State.SUCCESS && !(replacedOnly && unpacking.containsValue(layer))) {
                layer.resultNow().close();
            }
        }
    }

    private static byte[] join(byte[] head, byte[] rest) {
        byte[] whole = Arrays.copyOf(head, head.length + rest.length);
        System.arraycopy(rest, 0, whole, head.length, rest.length);
        return whole;
    }

    private static String parent(String name) {
        return name.substring(0, Math.max(0, name.lastIndexOf('/')));
    }

    /// `name`, seen from `directory`, as a key: without `.`, `..` and slashes around it.
    private static String normal(String directory, String name) {
        var parts = new ArrayList<String>();
        for (String part : (name.startsWith("/") ? name : directory + "/" + name).split("/")) {
            if (part.equals("..")) {
                if (!parts.isEmpty()) {
                    parts.removeLast();
                }
            } else if (!part.isEmpty() && !part.equals(".")) {
                parts.add(part);
            }
        }
        return String.join("/", parts);
    }
}
