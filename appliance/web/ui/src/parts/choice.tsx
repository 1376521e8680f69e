interface ChoiceProps<T extends string> {
  name: string;
  /** The key that does the same. */
  hint?: string;
  options: readonly (readonly [T, string])[];
  value: T;
  onPick: (value: T) => void;
}

/** A few words of which one holds. */
export function Choice<T extends string>({ name, hint: key, options, value, onPick }: ChoiceProps<T>) {
  const pick = (event: MouseEvent, option: T): void => {
    onPick(option);
    // A click with a pointer leaves the keys to the canvas: Enter is not for this button.
    if (event.detail > 0 && event.currentTarget instanceof HTMLElement) event.currentTarget.blur();
  };
  return (
    <div class="choice" role="group" aria-label={name}>
      <span>
        {name} {key && <kbd>{key}</kbd>}
      </span>
      {options.map(([option, word]) => (
        <button key={option} aria-pressed={option === value} onClick={(event) => pick(event, option)}>
          {word}
        </button>
      ))}
    </div>
  );
}
