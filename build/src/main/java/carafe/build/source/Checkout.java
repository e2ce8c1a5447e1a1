package carafe.build.source;

import carafe.build.tree.ContextArchive;
import carafe.build.tree.Node;
import carafe.spec.EngineException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;

/// Puts what is checked out of a repository into an archive, which stays the caller's.
public record Checkout(ContextArchive archive) implements Remotes.Receiver {

    private static final long MOST_BYTES = 64L << 30;

    @Override
    public void tar(InputStream tar) throws IOException, EngineException {
        archive.add(tar);
    }

    @Override
    public void directory(String path, Path directory) throws IOException, EngineException {
        var failure = new EngineException[1];
        Files.walkFileTree(directory, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path inside, BasicFileAttributes attributes) {
                try {
                    String below = directory.relativize(inside).toString();
                    archive.addDirectory(below.isEmpty() ? path : path + "/" + below);
                    return FileVisitResult.CONTINUE;
                } catch (EngineException e) {
                    failure[0] = e;
                    return FileVisitResult.TERMINATE;
                }
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                if (!attributes.isRegularFile()) {
                    return FileVisitResult.CONTINUE;
                }
                try (var in = Files.newInputStream(file)) {
                    archive.add(path + "/" + directory.relativize(file), 0644,
                            new Node.Time(attributes.lastModifiedTime().toInstant().getEpochSecond(), 0), in, MOST_BYTES);
                    return FileVisitResult.CONTINUE;
                } catch (EngineException e) {
                    failure[0] = e;
                    return FileVisitResult.TERMINATE;
                }
            }
        });
        if (failure[0] != null) {
            throw failure[0];
        }
    }
}
