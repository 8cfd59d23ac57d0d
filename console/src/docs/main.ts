/** The pages of the APIs: Swagger UI on this server's own OpenAPI document. */

import '../style.css';
import 'swagger-ui-dist/swagger-ui.css';
import './style.css';
import SwaggerUIBundle, {
  type Component,
  type Plugin,
  type React,
} from 'swagger-ui-dist/swagger-ui-es-bundle.js';
import { keys } from '../try/keys.ts';

// Its styles know dark by a class on the root alone.
const dark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', follow);
follow();

/** The component with a name that is read aloud and not shown. */
function named(React: React, Original: Component, name: string, element = 'label'): Component {
  return (props) =>
    React.createElement(
      element,
      null,
      React.createElement('span', { className: 'unseen' }, name),
      React.createElement(Original, props),
    );
}

/** What its markup lacks for those who do not see the page, or have no mouse. */
const accessible: Plugin = {
  wrapComponents: {
    // A link within the button that opens an operation: one of the two would be lost to a screen reader.
    DeepLink:
      (_original, { React }) =>
      ({ text }) =>
        React.createElement('span', null, text),
    ExamplesSelect: (Original, { React }) => named(React, Original, 'Example'),
    Select: (Original, { React }) => named(React, Original, 'Value'),
    TextArea:
      (Original, { React }) =>
      (props) =>
        React.createElement(Original, { 'aria-label': 'Value', ...props }),
    // All there is of a button.
    CloseIcon: (Original, { React }) => named(React, Original, 'Close', 'span'),
    // A name that is not what stands on it cannot be said to a computer that listens.
    Button:
      (Original, { React }) =>
      ({ 'aria-label': label, ...props }) =>
        React.createElement(
          Original,
          typeof props.children === 'string' ? props : { 'aria-label': label, ...props },
        ),
    // There is this server alone to choose from.
    ServersContainer: () => () => null,
    // Long ones scroll, which needs no mouse where the keyboard can get there.
    HighlightCode:
      (Original, { React }) =>
      (props) =>
        React.createElement(
          'div',
          { className: 'code', role: 'region', 'aria-label': 'Code', tabIndex: 0 },
          React.createElement(Original, props),
        ),
  },
};

const pages = SwaggerUIBundle({
  domNode: document.querySelector('#apis') as Element,
  url: './openapi.json',
  // The address of one operation can be passed on.
  deepLinking: true,
  // Otherwise the document would be sent to a service of the vendor's to be judged.
  validatorUrl: null,
  // An address must not choose which document is shown, and with it where keys are sent.
  queryConfigEnabled: false,
  // A key stays in the memory of the page.
  persistAuthorization: false,
  displayRequestDuration: true,
  // Schemas are shown where they are used.
  defaultModelsExpandDepth: -1,
  defaultModelExpandDepth: 4,
  tryItOutEnabled: true,
  // Of its themes one whose every colour can be read.
  syntaxHighlight: { theme: 'obsidian' },
  plugins: [accessible],
  onComplete() {
    const { secretKey, apiKey } = keys();
    if (secretKey !== '') pages.preauthorizeApiKey('nhnSecretKey', secretKey);
    if (apiKey !== '') pages.preauthorizeApiKey('apiKey', apiKey);
  },
});
