package carafe.spec.build;

/// Is told what happens. Called from several threads, one after the other; must not block for long.
@FunctionalInterface
public interface BuildListener {

    void on(BuildEvent event);
}
