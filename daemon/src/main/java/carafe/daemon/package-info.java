@NullMarked
package carafe.daemon;

import org.jspecify.annotations.NullMarked;
