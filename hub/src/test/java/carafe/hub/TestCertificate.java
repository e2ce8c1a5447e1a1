package carafe.hub;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Arrays;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/// Certificates for tests, made by the JDK's keytool.
record TestCertificate(Path authority, Path certificate, Path key) {

    private static final char[] PASSWORD = "changeit".toCharArray();

    static TestCertificate make(Path directory) throws Exception {
        Path store = directory.resolve("certificates");
        keytool(store, "-genkeypair", "-alias", "ca", "-dname", "CN=authority", "-ext", "bc:c", "-keyalg", "EC");
        keytool(store, "-genkeypair", "-alias", "hub", "-dname", "CN=hub", "-keyalg", "EC", "-signer", "ca",
                "-ext", "san=ip:127.0.0.1,dns:localhost");
        var keys = KeyStore.getInstance(store.toFile(), PASSWORD);
        var files = new TestCertificate(
                directory.resolve("ca.crt"), directory.resolve("hub.crt"), directory.resolve("hub.key"));
        Files.writeString(files.authority(), pem("CERTIFICATE", keys.getCertificate("ca").getEncoded()));
        var chain = new StringBuilder();
        for (var certificate : keys.getCertificateChain("hub")) {
            chain.append(pem("CERTIFICATE", certificate.getEncoded()));
        }
        Files.writeString(files.certificate(), chain);
        Files.writeString(files.key(), pem("PRIVATE KEY", keys.getKey("hub", PASSWORD).getEncoded()));
        return files;
    }

    private static void keytool(Path store, String... arguments) throws Exception {
        var command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
        command.addAll(Arrays.asList(arguments));
        command.addAll(List.of("-keystore", store.toString(), "-storepass", new String(PASSWORD), "-validity", "30"));
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes());
        if (process.waitFor() != 0) {
            throw new IllegalStateException("keytool: " + said);
        }
    }

    private static String pem(String kind, byte[] bytes) {
        return "-----BEGIN " + kind + "-----\n" + Base64.getMimeEncoder().encodeToString(bytes) + "\n-----END " + kind
                + "-----\n";
    }
}
