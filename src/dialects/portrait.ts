/** The drawn portrait, made small: the picture in the examples of the APIs, with which each of them can be tried. */

/** `assets/portrait.svg` as a JPEG of 160 x 200 pixels, in base64. */
export const portraitBase64 = [
  '/9j/2wBDACgoKCgrKC0yMi0/RDxEP11VTk5VXYxkbGRsZIzVhZuFhZuF1bzkua255Lz//+vr////////////////////////2wBDASgo',
  'KCgrKC0yMi0/RDxEP11VTk5VXYxkbGRsZIzVhZuFhZuF1bzkua255Lz//+vr////////////////////////wgARCADIAKADASIAAhEB',
  'AxEB/8QAGQAAAwEBAQAAAAAAAAAAAAAAAAEDBAIF/8QAFwEBAQEBAAAAAAAAAAAAAAAAAAIBA//aAAwDAQACEAMQAAAAHxC51vIGwyBs',
  'MYbTEG0xBsMYazIGpZQ0rNcWbTEsWdTEuEDQEDQmwLhnNAzOXDOXRgvOmV1G8Da09kYBwlz6Cai0JapXM6jQmdOaTRirKuV1G0Ta09k5',
  '7lNciOXVBbcnx6EDKnyaKZ9PTmk1U4qTrldQvDG1p1LjaMX3Z55vX1g17na5xmvJ1bNx68muoSauMVZVyuoXhjcBUvjucWV64yp999al',
  'xUwo2bc982nYQFxhrKuV1C8MbWnUvNozRemmXXPRomddy7FG+Inuwbq5iauMVZVynG0Dc0bJmvDn0NWUm9xN66OeRZHzmGzHpuaoL54q',
  'xrldQtE2tGy+emSdHm8Po59uV2EVddOM+2twQGKsq5TjaJsaNltEX1SNopFFu8HbOJ9wzO1y7loLjHWVMpxtHGzrnqKBHHo0A+pmqcIA',
  'RgAGI7c8lZU6S8W6GIlgiWZAuEdPHWa82jkgXNyBdESwQ2SsdsBsGDAGAAAACAEAIBIG/wD/xAAsEAABAgMHBAEFAQEAAAAAAAABAAID',
  'ETIEEBIUICFREzEzUnEiMEBTYZFi/9oACAEBAAE/APxHuwtJWZPqsyfVZk+qzR9Vmj6rNH1WbPqs2fVZs+qzZ9Vmz6rNn1WaPqs0fVZo',
  '+qzJ9VmT6rMn1THY2zUbxlQWNeTNZeGsvDWXhrLwlloSy0JZaEstCWWhLLQlloSy0JZeEsvDWXhrLw1GY1hElBpUbxlWap32JjlTHP2L',
  'TU1QKVG8ZVmqdqLtE0HlAg6bTU1QKFG8ZVlqdpJnfPQ10iu+i1VNUChRvGVZanaHnS1pf2uN0M9xotVTVAoUfxlWWp2h3c6GwXGrYINA',
  'EgosLFuO6MxsRcwycNFqqaoFCj+Iqy1O0FQ4YcJlCEzhAAdhoc1ru4UaGGiYQ7jRaqmqBQo/iKstTtEiTsmCTB8J3174XuHzhCwerHt+',
  'Hpjw8bJ7wwbrB7Me75eh9G+FzR8zCeMTHfCkQRPRaqmqBQo/iKstTtDBMOT4YEOYc6WyiMJB3lwFCY+biTLgIsnGqImzeSDZRpTJkzaa',
  'isfLYzmobC0DefKYwGHMky3Txs3RaqmqBQo/iKstTtEMyJHKwgswnhAxW7YQ5Y4v6h/qhsIJc4zcU9pLwWmTgscX9Q/1F0V20g1FoDMI',
  'UQzcBxotVTVAoUfxFWWp2mE4kG4LqAHdYwTsjdGcQANNqqaoFCj+Iqy1OvPY3Q3ScLi4NCMZvqUIo9Sg4OF0V2JxubSPi+1VNUChR/EV',
  'ZanXupK5uhvxC4Pc3bYhF7nbbAXRH4R/b4Zmxt9qqaoFCj+Mqy1OviHa8EgzCa8OCIBWwT34QiSTM3wT9N9qqaoFCjeMqzVO0GG0rpf1',
  'CEOVhA7X4QdijBHK6H/SEJg0WmpqgUKN4yrNU78G01NUChRvGVZqnaQiyWkMnqtNTVApUbxlWap2pkTaTlhB7FYCsBWEDclPibSbfO+0',
  '1NUClRvGVZqnawSOxXVfyuq/lEk9zrtNTVBpUXxlWepyF47fZOi0VNUGlRaDdM8qZ5UzypnlTPKmeU2bnAT7lZY/sWWP7E6bXET7FTPK',
  'meVM8qZ5Uzypnm6DSntxNkuiV0SugV0CugV0CugV0Dyuk/2K6T/YroHldAroFdAroFdAroldEqGC0S/F/8QAHhEAAgICAwEBAAAAAAAA',
  'AAAAAAECEBFBAyAxMBL/2gAIAQIBAT8A+S+LFblalbFUvLxUfKYqnoS6Q3TFU9dYbpiqeusN0xVP3rH2mKsJn5Q/Ren5RimKnyJC5MmD',
  'A+TAuROmI5JavLMu+OWh9XnTFnb+/wD/xAAeEQABBAMBAQEAAAAAAAAAAABBAAECEBEgMRIhMP/aAAgBAwEBPwD8hp9X3QIW0beNhCo9',
  '1l2ghUDrMUEKgdZighUDWLmKCFQ5rLlBCsuy9Om4yfjr06zQQpoO68YWWWWXjKeDtQQUGO82KGuWWW/f/9k=',
].join('');

export const portraitBytes = Buffer.from(portraitBase64, 'base64');

/** Where the server gives it out, for bodies that are no text. */
export const portraitPath = '/portrait.jpg';

/** In the place of its bytes, in a form that is shown as JSON. */
export const elidedPortrait = `(the bytes of ${portraitPath})`;
