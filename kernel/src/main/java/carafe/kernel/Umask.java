package carafe.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The process's umask, read without changing it; nobody in the process may ever set it.
final class Umask {

    static final int BITS = read();

    private Umask() {}

    private static int read() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith("Umask:")) {
                    return Integer.parseInt(line.substring(6).strip(), 8);
                }
            }
            return 0777; // not said: assume it takes everything, so that modes are always set again
        } catch (IOException e) {
            return 0777;
        }
    }
}
