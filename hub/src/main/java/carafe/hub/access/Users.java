package carafe.hub.access;

import carafe.hub.store.Refusal;
import carafe.hub.store.Refusal.Reason;
import com.password4j.BcryptFunction;
import com.password4j.types.Bcrypt;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The users of an htpasswd file: lines `name:hash`, bcrypt only (`htpasswd -B`, or `carafe hub password`). The file is
/// read again when it changes. A password that was right is remembered for some minutes as a keyed hash, because bcrypt
/// is slow on purpose and clients of Basic send it with every request. Wrong ones are bounded ([Attempts]); whoever was right
/// lately goes on while another guesses.
/// Source: Apache htpasswd(1); OpenBSD crypt(3) "Blowfish".
public final class Users {

    private static final Logger LOG = LoggerFactory.getLogger(Users.class);
    private static final Duration REMEMBERED = Duration.ofMinutes(5);
    private static final int MAX_PASSWORD_BYTES = 72; // bcrypt hears no more
    private static final int COST = 10;
    private static final long WAIT_SECONDS = 10;
    private static final byte[] NO_BYTES = {};
    /// Compared with when there is no such user, so that the time of the answer does not tell. Nobody knows its password.
    private static final String NOBODY = "$2y$10$abcdefghijklmnopqrstuuK6c0JbYvJ3nY0y7d0u8m5J5y0m3C8yO";

    private final Path file;
    private final Clock clock;
    private final byte[] secret = new byte[32];
    private final Semaphore turns = new Semaphore(Math.max(1, Runtime.getRuntime().availableProcessors()));
    private final Attempts attempts;
    private final Map<String, Right> remembered = new ConcurrentHashMap<>();
    private volatile Loaded loaded = new Loaded(FileTime.fromMillis(0), -1, Map.of());

    private record Loaded(FileTime time, long size, Map<String, String> hashes) {}

    private record Right(String hash, byte[] mac, Instant until) {}

    /// From `file`, which is read now.
    /// @throws IOException it cannot be read, or a line is not understood
    public Users(Path file, Clock clock) throws IOException {
        this.file = file;
        this.clock = clock;
        this.attempts = new Attempts(clock);
        new SecureRandom().nextBytes(secret);
        loaded = load();
    }

    private Loaded load() throws IOException {
        var time = Files.getLastModifiedTime(file);
        long size = Files.size(file);
        var hashes = new HashMap<String, String>();
        int number = 0;
        for (String line : Files.readAllLines(file)) {
            number++;
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            int colon = line.indexOf(':');
            String hash = line.substring(colon + 1).strip();
            if (colon <= 0 || !hash.matches("\\$2[aby]\\$(0[4-9]|1[0-6])\\$[./A-Za-z0-9]{53}")) {
                throw new IOException("line " + number + " of " + file
                        + " is not name:hash with a bcrypt hash; make one with: htpasswd -nB NAME");
            }
            hashes.put(line.substring(0, colon), hash);
        }
        return new Loaded(time, size, Map.copyOf(hashes));
    }

    private Map<String, String> hashes() {
        var now = loaded;
        try {
            if (!Files.getLastModifiedTime(file).equals(now.time()) || Files.size(file) != now.size()) {
                now = load();
                loaded = now;
            }
        } catch (IOException e) {
            LOG.warn("the users stay as they were: {}", e.getMessage());
        }
        return now.hashes();
    }

    /// Something that changes when the user's password does; empty when there is no such user.
    Optional<String> generation(String name) {
        var hash = hashes().get(name);
        return hash == null
                ? Optional.empty()
                : Optional.of(java.util.HexFormat.of().formatHex(mac(name, hash.getBytes(StandardCharsets.UTF_8)), 0, 8));
    }

    /// Whether `password` is the user's.
    /// @throws Refusal TOO_MANY_REQUESTS too many are being checked, or were wrong
    boolean check(String name, String password) throws Refusal {
        byte[] given = password.getBytes(StandardCharsets.UTF_8);
        if (given.length > MAX_PASSWORD_BYTES || name.isEmpty()) {
            return false;
        }
        var hash = hashes().get(name);
        byte[] mac = mac(name, given);
        var known = remembered.get(name);
        if (known != null && known.hash().equals(hash) && clock.instant().isBefore(known.until())
                && MessageDigest.isEqual(known.mac(), mac)) {
            // Who comes often is never asked slowly again, so that others who guess cannot take the turns away.
            remembered.put(name, new Right(known.hash(), mac, clock.instant().plus(REMEMBERED)));
            return true;
        }
        boolean right = slowly(name, password, hash == null ? NOBODY : hash);
        if (hash == null || !right) {
            attempts.failed(mac(name, NO_BYTES));
            return false;
        }
        remembered.put(name, new Right(hash, mac, clock.instant().plus(REMEMBERED)));
        return true;
    }

    private boolean slowly(String name, String password, String hash) throws Refusal {
        boolean turn = false;
        try {
            turn = turns.tryAcquire(WAIT_SECONDS, TimeUnit.SECONDS);
            if (!turn) {
                throw new Refusal(Reason.TOO_MANY_REQUESTS, "too many log-ins at once; try again in a few seconds");
            }
            if (!attempts.allowed(mac(name, NO_BYTES))) {
                throw new Refusal(Reason.TOO_MANY_REQUESTS, "too many wrong passwords for " + name
                        + "; try again in a few seconds");
            }
            return BcryptFunction.getInstanceFromHash(hash).check(password, hash);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Refusal(Reason.UNAVAILABLE, "the hub is stopping");
        } finally {
            if (turn) {
                turns.release();
            }
        }
    }

    private byte[] mac(String name, byte[] value) {
        return Signature.of(secret, (name + "\n").getBytes(StandardCharsets.UTF_8), value);
    }

    /// A line for the file.
    public static String line(String name, String password) {
        return name + ":" + BcryptFunction.getInstance(Bcrypt.Y, COST).hash(password).getResult();
    }
}
